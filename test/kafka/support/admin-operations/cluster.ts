import { isAtLeast } from '../../../support/real-brokers.ts'
import { NO_UUID, byKey, sorted, done } from './forms.ts'
import type { Operation } from './operation.ts'

/** The cluster, its features and its quorum. */
export const CLUSTER_OPERATIONS: readonly Operation[] = [
  {
    java: 'describeCluster',
    since: '0.10.1',
    samsa: async (admin, _, { version }) => {
      const includeAuthorizedOperations = isAtLeast(version, '2.3')
      const found = await admin.describeCluster({ includeAuthorizedOperations })
      return {
        clusterId: found.clusterId,
        nodes: byKey(
          found.brokers.map(({ broker, host, port, rack = null }) => [
            String(broker),
            `${host}:${port}:${rack}`,
          ]),
        ),
        operations: sorted(found.authorizedOperations),
      }
    },
    words: (_, { version }) => [String(isAtLeast(version, '2.3'))],
  },
  {
    java: 'describeFeatures',
    since: '0.10',
    samsa: async (admin) =>
      byKey(
        (await admin.describeFeatures()).map((one) => [
          one.feature,
          [one.minVersion, one.maxVersion, one.finalizedVersion ?? -1],
        ]),
      ),
  },
  {
    java: 'updateFeatures',
    since: '2.7',
    samsa: (admin) =>
      done(
        admin.updateFeatures([{ feature: 'no.such.version', version: 1 }], { validateOnly: true }),
      ),
  },
  {
    java: 'describeMetadataQuorum',
    since: '3.3',
    samsa: async (admin) => {
      const { leader, leaderEpoch, voters, observers } = await admin.describeMetadataQuorum()
      const idsOf = (replicas: typeof voters) =>
        byKey(replicas.map(({ replica, directoryId = NO_UUID }) => [String(replica), directoryId]))
      return { leader, leaderEpoch, voters: idsOf(voters), observers: idsOf(observers) }
    },
  },
  {
    java: 'unregisterBroker',
    name: 'unregisterBroker (none)',
    since: '3.0',
    samsa: (admin) => done(admin.unregisterBroker(99)),
    words: () => [99],
  },
  {
    java: 'unregisterController',
    name: 'unregisterController (none)',
    since: '4.4',
    samsa: (admin) => done(admin.unregisterController(99)),
    words: () => [99],
  },
  {
    java: 'addRaftVoter',
    name: 'addRaftVoter (the quorum is a fixed one)',
    since: '3.9',
    samsa: (admin) =>
      done(
        admin.addRaftVoter({
          voter: 77,
          directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          listeners: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 14_999 }],
        }),
      ),
    words: () => [77, 'AAAAAAAAAAAAAAAAAAAAAQ', 14_999],
  },
  {
    java: 'removeRaftVoter',
    name: 'removeRaftVoter (the quorum is a fixed one)',
    since: '3.9',
    samsa: (admin) =>
      done(admin.removeRaftVoter({ voter: 77, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' })),
    words: () => [77, 'AAAAAAAAAAAAAAAAAAAAAQ'],
  },
]
