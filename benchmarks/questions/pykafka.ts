import { caseOf, type Question } from '../runner/question.ts'

export const pykafka: Question = {
  name: 'pykafka',
  title: 'pykafka',
  about: 'What samsa is a port of, which works with brokers up to 3.9.',
  clients: ['samsa', 'pykafka'],
  kafka: '3.9.1',
  cases: (scale) => [
    caseOf(scale, 'produce, one call a message', { task: 'produce', mode: 'single' }),
    caseOf(scale, 'produce, awaited one by one', {
      task: 'produce',
      mode: 'awaited',
      messages: 20_000,
    }),
    caseOf(scale, 'consume, messages', { task: 'consume', mode: 'messages' }),
  ],
}
