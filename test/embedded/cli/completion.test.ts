import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { outputOf, runCommand } from '../../support/run-command.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

describe('completion', () => {
  let kafka: EmbeddedCluster
  let folder: TemporaryFolder
  let bin: string
  let samsa: CommandLine

  beforeAll(async () => {
    folder = new TemporaryFolder()
    kafka = await EmbeddedCluster.start({ topics: { orders: {}, 'orders-copy': {}, other: {} } })
    samsa = new CommandLine(kafka.hosts, folder.path)
    bin = join(folder.path, 'bin')
    mkdirSync(bin)
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${builtCommand()}" "$@"\n`
    writeFileSync(join(bin, 'samsa'), shim, { mode: 0o755 })
    await samsa.output('produce orders', { input: 'a\n' })
    await samsa.output('consume orders -g billing --from-beginning -n 1')
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it.each([
    [['topic', 'desc'], ['describe']],
    [['topic', 'describe', 'orders-'], ['orders-copy']],
    [['topic', 'describe', 'orders', 'ot'], ['other']],
    [['lag', '--onl'], ['--only-lagging']],
    [['lag', '--partitions', 'b'], ['billing']],
    [['group', 'clone', ''], ['billing']],
    [['consume', 'orders', '--group', 'b'], ['billing']],
    [['produce', '-z', 'z'], ['zstd']],
    [['completion', 'z'], ['zsh']],
    [['topics', '--brokers', '127.0.0.1:1', 'o'], []],
  ])('of %j offers %j', async (words, expected) => {
    const found = await samsa.output(['__complete', '--', ...words])
    expect(found.split('\n').filter((word) => word !== '')).toEqual(expected)
  })

  const shells: readonly (readonly [string, string])[] = [
    [
      'bash',
      'source <(samsa completion bash); COMP_WORDS=(samsa topic describe orders-); COMP_CWORD=3; _samsa; echo "${COMPREPLY[@]}"',
    ],
    ['fish', 'samsa completion fish | source; complete -C "samsa topic describe orders-"'],
    [
      // What the shell would offer is printed: its widgets need a terminal and a person.
      'zsh',
      'compadd() { print -l -- "${(P@)@[-1]}" }; compdef() { : }; source <(samsa completion zsh); words=(samsa topic describe orders-); CURRENT=4; _samsa',
    ],
  ]

  for (const [shell, script] of shells) {
    const isThere = existsSync(`/usr/bin/${shell}`) || existsSync(`/bin/${shell}`)
    // bash is on every machine that runs the tests; the other shells only on some.
    const itWhereThere = isThere || shell === 'bash' ? it : it.skip
    itWhereThere(`works in ${shell}`, async () => {
      const running = runCommand(shell, ['-c', script], {
        env: {
          PATH: `${bin}:${process.env['PATH']}`,
          SAMSA_BROKERS: kafka.hosts,
          XDG_CONFIG_HOME: folder.path,
        },
      })
      expect((await outputOf(running)).toString().trim()).toBe('orders-copy')
    })
  }
})
