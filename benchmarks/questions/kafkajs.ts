import { caseOf, type Question } from '../runner/question.ts'

export const kafkajs: Question = {
  name: 'kafkajs',
  title: 'kafkajs and samsa/kafkajs',
  about: 'The same program in the API of kafkajs, with kafkajs from npm and with `samsa/kafkajs`.',
  clients: ['samsa-kafkajs', 'kafkajs'],
  kafka: '3.9.1',
  cases: (scale) => [
    caseOf(scale, '`send` of one', { task: 'produce', mode: 'single' }),
    caseOf(scale, '`send` of 1,000', { task: 'produce', mode: 'many' }),
    caseOf(scale, '`eachMessage`', { task: 'consume', mode: 'messages' }),
    caseOf(scale, '`eachBatch`', { task: 'consume', mode: 'batches' }),
  ],
}
