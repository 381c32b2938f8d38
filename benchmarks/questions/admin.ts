import { caseOf, type Question } from '../runner/question.ts'

const TOPICS = 100
const PARTITIONS = 10
const GROUPS = 100

const CASES = [
  ['the names of all topics', 'topics'],
  ['all topics with their partitions', 'partitions'],
  ['all groups', 'groups'],
  ['the lag of all groups', 'lag'],
  ['the configs of all topics', 'configs'],
] as const

export const admin: Question = {
  name: 'admin',
  title: 'Administration',
  about: `A cluster has ${TOPICS} topics of ${PARTITIONS} partitions and ${GROUPS} groups that have committed an offset in ${PARTITIONS} of these partitions each. One call after the other lists the names of the topics, lists them with partitions, leaders and replicas, lists the groups, tells the lag of all groups with their members, or describes the configs of all topics; where a client has no call for the lag, it is put together from those that it has.`,
  clients: ['samsa', 'kafkajs', 'platformatic', 'java'],
  cases: (scale) =>
    CASES.map(([title, mode]) =>
      caseOf(scale, title, {
        task: 'admin',
        mode,
        topics: TOPICS,
        partitions: PARTITIONS,
        groups: GROUPS,
      }),
    ),
}
