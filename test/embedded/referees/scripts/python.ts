import { join } from 'node:path'
import { PYTHON } from '../../../support/python.ts'
import { outputOf, runCommand } from '../../../support/run-command.ts'
import { answersIn } from '../support/judge.ts'
import type { Referee } from '../support/referee.ts'
import { PATIENCE_MS } from '../../../support/patience.ts'

const PROGRAMS = join(__dirname, '..', 'python')

export const KAFKA_PYTHON: Referee = {
  name: 'kafka-python',
  needs: ['kafka-python'],
  since: '0.8.2',
  topics: { python: 3 },
  onPurpose: [
    {
      answer: /^administration, deleted$/,
      why: 'before 1.0, topics can be deleted only where brokers are told so',
      since: '0.11',
      before: '1.1',
    },
  ],
  async ask({ hosts, version, timeMs }) {
    return answersIn(await run('kafka_python.py', [hosts, version, String(timeMs)]))
  },
}

export const CONFLUENT_KAFKA: Referee = {
  name: 'confluent-kafka',
  needs: ['confluent-kafka'],
  since: '2.8',
  onPurpose: [
    {
      answer: /^topics, fewer partitions$/,
      why: "controllers in ZooKeeper's time say it in other words",
      before: '4.4',
    },
    { answer: /^topics, a bad name$/, why: 'said in other words then', before: '3.9' },
  ],
  async ask({ hosts, timeMs }) {
    return answersIn(await run('confluent.py', [hosts, String(timeMs)]))
  },
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const result = await runCommand(PYTHON, [join(PROGRAMS, program), ...args], {
    timeoutMs: PATIENCE_MS,
  })
  // Where a coordinator is just being made, librdkafka reports it, and tries again.
  const stderr = result.stderr.replaceAll(/^%\d\|[\d.]+\|GETPID.*\n\n?/gm, '')
  return String(await outputOf(Promise.resolve({ ...result, stderr })))
}
