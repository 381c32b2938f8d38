import { caseOf, type Question } from '../runner/question.ts'

export const transform: Question = {
  name: 'transform',
  title: 'Consume, transform, produce',
  about: 'One process reads a topic, changes each value and writes it to another topic.',
  cases: (scale) => [
    caseOf(scale, 'in one process', {
      task: 'transform',
      mode: 'usual',
      // Some decode all that they have fetched before they deliver the first message.
      limitMs: 3 * scale.limitMs,
    }),
  ],
}
