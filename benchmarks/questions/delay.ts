import { caseOf, type Question } from '../runner/question.ts'
import type { Compression } from '../runner/task.ts'

const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export const delay: Question = {
  name: 'delay',
  title: 'Delay of the event loop',
  about:
    'One process produces and consumes values of 1 KiB on one partition, at half of the highest rate at which nothing is left behind. The delay is how late a timer of 1 ms is called; each millisecond of a stall counts. Up to 1 ms of it is the resolution of timers.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'node-rdkafka', 'confluent'],
  cases: (scale) =>
    CODECS.map((compression) =>
      caseOf(scale, `produce and consume, ${compression}`, {
        ...{ task: 'delay', mode: 'usual', partitions: 1, valueBytes: 1024, compression },
        shares: [0.5],
      }),
    ),
}
