import { caseOf, type Question } from '../runner/question.ts'

/** By the names in clients/driver/samsa-options.js. */
const PRODUCING = [
  ...['lingerMs 5', 'lingerMs 5, zstd', 'lingerMs 5, gzip', 'lingerMs 100'],
  ...['batchBytes 16 KiB', 'batchBytes 64 KiB'],
  ...['maxQueuedBytes 1 MiB', 'maxQueuedMessages 1,000', 'acks all, idempotent'],
  ...['keys', 'one header', 'three headers', 'strings', 'delivery reports'],
]
const READING = [
  ...['batches', 'stream()', "stream().on('data')", 'consume()', 'headers read'],
  ...['run', 'run, concurrency 10', 'run, concurrency 10 by key'],
  ...['run, async handler, against run', 'run, async handler, concurrency 10'],
  'run, async handler, concurrency 10 by key',
  ...['queuedMaxBytes 1 MiB', 'queuedMaxMessages 1,000', 'fetchMessageMaxBytes 64 KiB'],
  ...['reuseMemory', 'isolationLevel read_committed'],
]

export const options: Question = {
  name: 'options',
  title: 'What options cost',
  about:
    'One option against the default, in turns in one process, against a process that only acknowledges or serves: how many times the CPU a message takes. Producing is compared with one call per message and the same codec, reading with `for await`, and `run` with several async handlers with one async handler at a time. An option over 2 is marked with (!).',
  clients: ['samsa'],
  isOneTable: true,
  cases: (scale) =>
    [100, 1024].flatMap((valueBytes) =>
      [
        ...PRODUCING.map((name) => `produce, ${name}`),
        ...READING.map((name) => `consume, ${name}`),
      ].map((mode) =>
        caseOf(scale, `${mode}, ${valueBytes} B`, {
          ...{ task: 'options', mode, valueBytes, nullBroker: true },
        }),
      ),
    ),
}
