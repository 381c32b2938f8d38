import { caseOf, type Question } from '../runner/question.ts'

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const VALUE_BYTES = 1024
/** The tools of Java and librdkafka know no time, and gzip takes theirs. */
const MOST_BYTES = 100 << 20

export const codecs: Question = {
  name: 'codecs',
  title: 'Codecs',
  about:
    'Values of 1 KiB that are text as an application’s events are; librdkafka’s tool sends a pattern of its own, which is easier to compress; confluent-python is the same C code with the values of the others. Without a codec: see the sizes of values. Clients that lack a codec report it.',
  clients: [
    'samsa',
    'kafkajs',
    'platformatic',
    'confluent',
    'java',
    'librdkafka',
    'confluent-python',
  ],
  cases: (scale) =>
    CODECS.flatMap((compression) => {
      const messages = Math.min(scale.messages, MOST_BYTES / VALUE_BYTES)
      const given = { compression, valueBytes: VALUE_BYTES, messages }
      return [
        caseOf(scale, `produce, ${compression}`, { task: 'produce', mode: 'many', ...given }),
        caseOf(scale, `consume, ${compression}`, { task: 'consume', mode: 'best', ...given }),
      ]
    }),
}
