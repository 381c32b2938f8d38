import { kcatRead } from '../../kcat.ts'
import { runCommand } from '../../run-command.ts'
import type { LogEntry } from '../checker/history.ts'
import { javaPeer } from './java-peer.ts'

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
  const flags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...(await javaPeer())]
  const { stdout, exitCode, stderr } = await runCommand('java', [...flags, 'log', hosts, topic])
  if (exitCode !== 0) throw new Error(`Java cannot read ${topic}: ${stderr}`)
  return entriesOf(stdout)
}
