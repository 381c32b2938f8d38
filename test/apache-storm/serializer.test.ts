import { expect, it } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import * as classes from '../../src/storm/java/classes.ts'
import { runCommand } from '../support/run-command.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { stormLibs } from '../support/storm/local-storm.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'

const PROGRAM = 'test/apache-storm/CompareSerializers.java'

describeWithStorm("samsa's JSON serializer", () => {
  it("writes what Storm's serializer writes, and reads what it reads, however it is cut", async () => {
    using folder = new TemporaryFolder()
    for (const { path, base64 } of Object.values(classes)) {
      const file = join(folder.path, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, Buffer.from(base64, 'base64'))
    }
    const classPath = [folder.path, join(await stormLibs(), '*')].join(delimiter)
    const seed = String(Math.floor(Math.random() * 2 ** 31))
    const { exitCode, stdout, stderr } = await runCommand('java', ['-cp', classPath, PROGRAM, seed])
    const result = { seed, exitCode, stderr: exitCode === 0 ? '' : stderr }
    expect(result).toEqual({ seed, exitCode: 0, stderr: '' })
    expect(stdout.toString()).toMatch(/^same \d{4}$/m)
  }, 120_000)
})
