import { caseOf, type Question } from '../runner/question.ts'

const VALUE_BYTES = 1_000

export const slow: Question = {
  name: 'slow',
  title: 'Memory under a slow consumer',
  about: 'A handler that takes 10 ms a message, over a backlog of 600 MB (of 100 MB with --quick).',
  cases: (scale) => [
    caseOf(scale, 'a handler of 10 ms', {
      task: 'slow',
      mode: 'usual',
      valueBytes: VALUE_BYTES,
      // What lies ready for a consumer that takes hardly any of it.
      messages: (2 * scale.bytes) / VALUE_BYTES,
    }),
  ],
}
