import { caseOf, type Question } from '../runner/question.ts'

export const start: Question = {
  name: 'start',
  title: 'Starting',
  about:
    'From the start of the process to the first message that it has produced and consumed, on one partition.',
  cases: (scale) => [caseOf(scale, 'one process', { task: 'start', mode: 'usual', partitions: 1 })],
}
