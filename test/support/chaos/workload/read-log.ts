import { join } from 'node:path'
import { clientJars } from '../../../wire/support/jars.ts'
import { kcatRead } from '../../kcat.ts'
import { runCommand } from '../../run-command.ts'
import type { LogEntry } from '../checker/history.ts'

export interface LogPlace {
  readonly version: string
  readonly hosts: string
}

function entriesOf(output: Buffer): LogEntry[] {
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition, offset, id = ''] = line.split(' ')
      return { partition: Number(partition), offset: Number(offset), id }
    })
}

export async function readByKcat(place: LogPlace, topic: string): Promise<LogEntry[]> {
  return entriesOf(await kcatRead(place, topic, '%p %o %s\n'))
}

export async function readByJava({ hosts }: LogPlace, topic: string): Promise<LogEntry[]> {
  const classPath = join(await clientJars('4.4.0'), '*')
  const flags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', classPath]
  const program = 'test/support/chaos/workload/java/Peer.java'
  const { stdout, exitCode, stderr } = await runCommand('java', [
    ...flags,
    program,
    'log',
    hosts,
    topic,
  ])
  if (exitCode !== 0) throw new Error(`Java cannot read ${topic}: ${stderr}`)
  return entriesOf(stdout)
}
