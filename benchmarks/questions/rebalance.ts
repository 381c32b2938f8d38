import { caseOf, type Question } from '../runner/question.ts'

/** How many members are there, and how many then. */
const ALL_STEPS = [
  [0, 1],
  [1, 5],
  [1, 20],
  [1, 50],
] as const
/** The older ways, to compare with: so that all fit into 15 minutes with two rounds. */
const TWO_STEPS = ALL_STEPS.slice(2)

const WAYS = [
  { mode: 'zookeeper', title: 'by ZooKeeper', steps: TWO_STEPS },
  { mode: 'eager', title: 'by Kafka, eager', steps: TWO_STEPS },
  { mode: 'cooperative', title: 'by Kafka, cooperative', steps: TWO_STEPS },
  { mode: 'consumer', title: 'by Kafka, consumer protocol', steps: ALL_STEPS },
] as const

export const rebalance: Question = {
  name: 'rebalance',
  title: 'Rebalances',
  about:
    'Members join a group that shares 500 partitions, all of them in one process, each with a client of its own: how long it takes from the first call until each partition is one member’s and all have as many. CPU is that of all members together for the time, divided by their number. Requests are those of all members in that time, heartbeats included: to brokers as the client reports them, to ZooKeeper as that counts them.',
  clients: ['samsa', 'kafkajs', 'java', 'confluent-python'],
  cases: (scale) =>
    WAYS.flatMap(({ mode, title, steps }) =>
      steps.map(([before, members]) =>
        caseOf(scale, `${title}, ${before} to ${members} members`, {
          task: 'rebalance',
          mode,
          before,
          members,
          partitions: 500,
          zookeeper: mode === 'zookeeper',
        }),
      ),
    ),
}
