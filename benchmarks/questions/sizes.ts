import { caseOf, type Question } from '../runner/question.ts'

const SIZES = [
  ['10 B', 10],
  ['100 B', 100],
  ['1 KiB', 1024],
  ['10 KiB', 10_240],
  ['1 MiB', 1_048_576],
] as const
/** librdkafka verifies checksums only if it is asked to; these clients do. */
const CHECKED = ['samsa', 'librdkafka', 'confluent-python']
/** With few values V8 still compiles while they are measured. Those to consume are stored only once for all runs. */
const TIMES_PRODUCED_BYTES = 3
const TIMES_CONSUMED_BYTES = 10

export const sizes: Question = {
  name: 'sizes',
  title: 'Sizes of values',
  about:
    'Many at once, and the fastest way to consume, with values of 10 bytes to 1 MiB. librdkafka’s tool sends the same value again and again, which stays in the processor’s cache; confluent-python is the same C code with the values of the others. By default librdkafka verifies no checksums; samsa and Java do.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'java', 'librdkafka', 'confluent-python'],
  cases: (scale) =>
    SIZES.flatMap(([name, valueBytes]) => {
      const amount = (times: number) => {
        const bytes = valueBytes < 1024 ? scale.bytes : times * scale.bytes
        return { valueBytes, messages: Math.min(scale.messages, Math.floor(bytes / valueBytes)) }
      }
      const produced = amount(TIMES_PRODUCED_BYTES)
      const consumed = amount(TIMES_CONSUMED_BYTES)
      return [
        caseOf(scale, `produce, ${name}`, { task: 'produce', mode: 'many', ...produced }),
        caseOf(scale, `consume, ${name}`, { task: 'consume', mode: 'best', ...consumed }),
        caseOf(scale, `consume, ${name}, checksums verified`, {
          ...{ task: 'consume', mode: 'checked', clients: CHECKED, ...consumed },
        }),
      ]
    }),
}
