import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { builtCommand } from '../built.ts'
import { runCommand } from '../run-command.ts'
import { TemporaryFolder } from '../temporary-folder.ts'
import type { Example } from './examples.ts'

/** The topics that the examples read. */
const TOPICS = ['page-views', 'events']
const COMMAND = resolve('test/support/documents/samsa-command.mjs')

/** True for examples that use the command `samsa`: the others install things, or run for an hour. */
export function usesCommand({ language, code }: Example): boolean {
  return language === 'sh' && /^(?:.*\| )?samsa /m.test(code)
}

/** Runs an example of the command with `sh`, in a folder of its own: what went wrong, or undefined. */
export async function problemInShell({ name, setup, code }: Example): Promise<string | undefined> {
  using folder = new TemporaryFolder()
  await using kafka = await EmbeddedCluster.start({
    brokers: 3,
    defaultReplicationFactor: 1,
    // What the recipes administer.
    authorizer: { superUsers: ['User:ANONYMOUS'] },
  })
  await using client = new KafkaClient({ hosts: kafka.hosts })
  for (const topic of TOPICS) {
    await using producer = await client.topic(topic).getProducer()
    await producer.produce('/index.html', { key: 'user-1' })
  }
  const bin = join(folder.path, 'bin')
  mkdirSync(bin)
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${COMMAND}" "$@"\n`
  writeFileSync(join(bin, 'samsa'), shim, { mode: 0o755 })
  const { exitCode, signal, stderr } = await runCommand('sh', ['-ec', `${setup}\n${code}`], {
    cwd: folder.path,
    env: {
      SAMSA_MAIN: builtCommand(),
      SAMSA_BROKERS: kafka.hosts,
      XDG_CONFIG_HOME: folder.path,
      PATH: `${bin}:${process.env.PATH}`,
    },
  })
  if (exitCode === 0) return undefined
  return `${name} ended with ${signal ?? `exit code ${exitCode}`}:\n${stderr}`
}
