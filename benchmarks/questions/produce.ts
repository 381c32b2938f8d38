import { caseOf, type Question } from '../runner/question.ts'

/**
 * In the first second a client sends only some thousand messages that it awaits, and JIT compilers are still at work, for
 * one message in a hundred: that would be the 99th percentile.
 */
const LONGER = 5

export const produce: Question = {
  name: 'produce',
  title: 'Producing',
  about:
    'One call a message, none awaited; the same with the result of each looked at; many at once, in whatever way the client does that best; and each message awaited before the next.',
  cases: (scale) => [
    caseOf(scale, 'one call a message', { task: 'produce', mode: 'single' }),
    caseOf(scale, 'one call a message, each result looked at', { task: 'produce', mode: 'told' }),
    caseOf(scale, 'many at once', { task: 'produce', mode: 'many' }),
    caseOf(scale, 'awaited one by one', {
      ...{ task: 'produce', mode: 'awaited', messages: 20_000 },
      warmUpMs: LONGER * scale.warmUpMs,
    }),
  ],
}
