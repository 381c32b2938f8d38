import { caseOf, type Question } from '../runner/question.ts'

const MEMBERS = [1, 10, 100]

export const members: Question = {
  name: 'members',
  title: 'Members of a group',
  about:
    'One to a hundred members of one group join at the same time, all in one process, and share a hundred partitions without a message: how long it takes until all have their part (and samsa also knows the positions, which the others look up later), and what they need while nothing happens. An idle member sends heartbeats and fetches whatever the others do: its line should stay level, or fall where members share something.',
  clients: ['samsa', 'kafkajs', 'platformatic', 'node-rdkafka', 'confluent'],
  curve: { over: 'members', of: ['joined', 'idleOfMember', 'memory'] },
  cases: (scale) =>
    MEMBERS.map((count) =>
      caseOf(scale, `joining, ${count} member${count === 1 ? '' : 's'}`, {
        task: 'member',
        mode: 'usual',
        members: count,
        partitions: 100,
        x: count,
      }),
    ),
}
