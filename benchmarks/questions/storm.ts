import { caseOf, type Question } from '../runner/question.ts'

/** Storm's JVM has more to compile than a client. */
const LONGER = 6

export const storm: Question = {
  name: 'storm',
  title: 'Apache Storm',
  about:
    'A spout that emits words and a bolt that counts them, each in a process of its own, in a Storm in one JVM with one acker. CPU time and memory are those of the two processes, without the JVM. The JVM uses the serializer that users have: samsa that of `sparse`, pystorm, the run time of streamparse, that of Storm.',
  clients: ['samsa', 'pystorm'],
  cases: (scale) =>
    [
      ['acked, 20 tuples in a call of `nextTuple`', 'acked'] as const,
      ['not acked, 100 tuples in a call of `nextTuple`', 'not acked'] as const,
    ].map(([title, mode]) =>
      caseOf(scale, title, {
        ...{ task: 'storm', mode, topics: 0 },
        warmUpMs: LONGER * scale.warmUpMs,
        limitMs: LONGER * scale.limitMs,
      }),
    ),
}
