import { caseOf, type Question } from '../runner/question.ts'

export const produce: Question = {
  name: 'produce',
  title: 'Producing',
  about:
    'One call a message, none awaited; many at once, in whatever way the client does that best; and each message awaited before the next.',
  cases: (scale) => [
    caseOf(scale, 'one call a message', { task: 'produce', mode: 'single' }),
    caseOf(scale, 'many at once', { task: 'produce', mode: 'many' }),
    caseOf(scale, 'awaited one by one', { task: 'produce', mode: 'awaited', messages: 20_000 }),
  ],
}
