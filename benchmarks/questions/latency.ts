import { caseOf, type Question } from '../runner/question.ts'

export const latency: Question = {
  name: 'latency',
  title: 'From produce to consume',
  about:
    'One process produces and consumes 100-byte messages on one partition. First the highest rate is found at which nothing is left behind, then 10, 50 and 90 % of it are kept up. Latency is from when a message was due to when its consumer had it.',
  cases: (scale) => [
    caseOf(scale, 'in one process', {
      task: 'echo',
      mode: 'usual',
      partitions: 1,
      shares: [0.1, 0.5, 0.9],
    }),
  ],
}
