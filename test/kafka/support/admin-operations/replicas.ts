import { at, nameOf, byKey, done, only } from './forms.ts'
import type { Operation } from './operation.ts'

/** Replicas, leaders and log directories. */
export const REPLICA_OPERATIONS: readonly Operation[] = [
  {
    java: 'alterPartitionReassignments',
    since: '2.4',
    samsa: (admin, own) =>
      done(admin.alterPartitionReassignments([{ ...at(own, 0), replicas: [1, 3] }])),
    words: (own) => [own, '1,3'],
    until: async (admin) => (await admin.listPartitionReassignments()).length === 0,
  },
  {
    java: 'alterPartitionReassignments',
    name: 'alterPartitionReassignments (no such broker)',
    since: '2.4',
    samsa: (admin, own) =>
      done(admin.alterPartitionReassignments([{ ...at(own, 0), replicas: [99] }])),
    words: (own) => [own, '99'],
  },
  {
    java: 'listPartitionReassignments',
    since: '2.4',
    samsa: async (admin) =>
      byKey(
        (await admin.listPartitionReassignments()).map(
          ({ replicas, addingReplicas, removingReplicas, ...one }) => [
            nameOf(one),
            [replicas, addingReplicas, removingReplicas],
          ],
        ),
      ),
  },
  {
    java: 'electLeaders',
    since: '2.2',
    samsa: async (admin, own) => {
      const found = await admin.electLeaders('preferred', [at(own, 0), at(own, 77)], {
        settle: true,
      })
      const failed = found.find(({ error }) => error?.code === 'UNSUPPORTED_VERSION')
      if (failed?.error !== undefined) throw failed.error
      return byKey(
        found.map(({ error, isElected, ...one }) => [
          nameOf(one),
          // Java has the error of a success.
          error?.code ?? (isElected ? 'elected' : 'ELECTION_NOT_NEEDED'),
        ]),
      )
    },
  },
  {
    java: 'describeLogDirs',
    since: '1.0',
    samsa: async (admin) =>
      byKey(
        (await admin.describeLogDirs()).flatMap(({ broker, logDirs }) =>
          logDirs.map(({ logDir, totalBytes = -1, replicas }) => [
            `${broker}${logDir}`,
            [
              totalBytes,
              byKey(
                replicas
                  .filter(({ topic }) => !topic.startsWith('__'))
                  .map((one) => [nameOf(one), [one.sizeBytes, one.offsetLag, one.isFuture]]),
              ),
            ],
          ]),
        ),
      ),
  },
  {
    java: 'alterReplicaLogDirs',
    since: '1.0',
    samsa: (admin, own, { folder }) =>
      done(admin.alterReplicaLogDirs([{ ...at(own, 0), broker: 1, logDir: `${folder}/1-b` }])),
    words: (own, { folder }) => [own, 1, `${folder}/1-b`],
    until: async (admin) => {
      const found = await admin.describeReplicaLogDirs(
        ['samsa', 'java'].map((topic) => ({ ...at(topic, 0), broker: 1 })),
      )
      return found.every(
        (one) => one.logDir?.endsWith('1-b') === true && one.futureLogDir === undefined,
      )
    },
  },
  {
    java: 'describeReplicaLogDirs',
    since: '1.0',
    samsa: async (admin, own) => {
      const found = await only(admin.describeReplicaLogDirs([{ ...at(own, 0), broker: 1 }]))
      return [found.logDir ?? null, found.offsetLag ?? -1, found.futureLogDir ?? null]
    },
    words: (own) => [own, 1],
  },
]
