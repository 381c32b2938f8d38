import { caseOf, type Question } from '../runner/question.ts'

export const consume: Question = {
  name: 'consume',
  title: 'Consuming',
  about:
    'A topic read from its beginning, every value touched: message by message, batch by batch, and by a handler.',
  cases: (scale) => [
    caseOf(scale, 'messages', { task: 'consume', mode: 'messages' }),
    caseOf(scale, 'batches', { task: 'consume', mode: 'batches' }),
    caseOf(scale, 'handler', { task: 'consume', mode: 'handler' }),
  ],
}
