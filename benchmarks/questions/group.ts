import { caseOf, type Question } from '../runner/question.ts'

export const group: Question = {
  name: 'group',
  title: 'A group of four processes',
  about:
    'Four processes join one group and share eight partitions; the time runs from the first message that any of them gets to the last. CPU and memory are of all four together, their starting and joining included.',
  cases: (scale) => [
    caseOf(scale, 'four processes', {
      task: 'group',
      mode: 'usual',
      processes: 4,
      partitions: 8,
      // The first to join must not have read it all before the last one is there.
      messages: 4 * scale.messages,
      limitMs: 2 * scale.limitMs,
    }),
  ],
}
