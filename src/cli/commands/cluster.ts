import type { Command } from 'commander'
import { declare, option, wholeNumber } from '../command.ts'
import type { Session } from '../session.ts'

/** Adds `samsa cluster …`. */
export function clusterCommands(samsa: Command): void {
  const cluster = samsa
    .command('cluster')
    .description('show brokers, features, controllers and API versions')
  declare(cluster, {
    name: 'describe',
    summary: 'list the brokers, and show which one is the controller',
    examples: ['samsa cluster describe', 'samsa cluster describe --json'],
    run: describeCluster,
  })
  declare(cluster, {
    name: 'features',
    summary: 'list the features of the cluster and their levels (Kafka 2.7)',
    examples: ['samsa cluster features'],
    run: listFeatures,
  })
  declare(cluster, {
    name: 'quorum',
    summary: 'list the controllers, and how far each is behind (Kafka 3.3)',
    examples: ['samsa cluster quorum', 'samsa cluster quorum --json'],
    run: describeQuorum,
  })
  declare<{ readonly broker?: number }>(cluster, {
    name: 'api-versions',
    summary: 'list the APIs that a broker supports, with their versions',
    options: [
      option('--broker <id>', 'id of the broker; default: the first').argParser(wholeNumber),
    ],
    examples: ['samsa cluster api-versions --broker 0'],
    run: listApiVersions,
  })
}

async function describeCluster(session: Session): Promise<void> {
  const admin = await session.admin()
  const cluster = await admin.describeCluster(session.call)
  if (session.isInteractive) session.say(`cluster ${cluster.clusterId ?? 'without an id'}`)
  session.print(
    cluster,
    [
      { title: 'BROKER', align: 'right', of: ({ broker }) => String(broker) },
      { title: 'HOST', of: ({ host }) => host },
      { title: 'PORT', align: 'right', of: ({ port }) => String(port) },
      { title: 'RACK', of: ({ rack }) => rack ?? '' },
      {
        title: 'ROLE',
        of: ({ broker }) => (broker === cluster.controller ? 'controller' : ''),
      },
    ],
    cluster.brokers,
  )
}

async function listFeatures(session: Session): Promise<void> {
  const admin = await session.admin()
  const features = await admin.describeFeatures(session.call)
  session.print(
    features,
    [
      { title: 'FEATURE', of: ({ feature }) => feature },
      {
        title: 'LEVEL',
        align: 'right',
        of: ({ finalizedVersion }) => String(finalizedVersion ?? 'off'),
      },
      { title: 'SUPPORTED', of: ({ minVersion, maxVersion }) => `${minVersion} to ${maxVersion}` },
    ],
    features,
  )
}

async function describeQuorum(session: Session): Promise<void> {
  const admin = await session.admin()
  const quorum = await admin.describeMetadataQuorum(session.call)
  const end = quorum.voters.find(({ replica }) => replica === quorum.leader)?.logEndOffset
  const rows = [
    ...quorum.voters.map((replica) => ({ ...replica, role: 'voter' })),
    ...quorum.observers.map((replica) => ({ ...replica, role: 'observer' })),
  ]
  session.print(
    quorum,
    [
      { title: 'NODE', align: 'right', of: ({ replica }) => String(replica) },
      { title: 'ROLE', of: ({ replica, role }) => (replica === quorum.leader ? 'leader' : role) },
      { title: 'OFFSET', align: 'right', of: ({ logEndOffset }) => String(logEndOffset) },
      {
        title: 'BEHIND',
        align: 'right',
        of: ({ logEndOffset }) =>
          end === undefined ? '?' : String(Math.max(0, end - logEndOffset)),
      },
    ],
    rows,
  )
}

async function listApiVersions(
  session: Session,
  _args: readonly string[],
  { broker }: { readonly broker?: number },
): Promise<void> {
  const admin = await session.admin()
  const id = broker ?? (await admin.describeCluster(session.call)).brokers[0]?.broker ?? 0
  const versions = await admin.describeApiVersions(id, session.call)
  session.print(
    versions,
    [
      { title: 'KEY', align: 'right', of: ({ key }) => String(key) },
      { title: 'API', of: ({ name }) => name ?? 'unknown' },
      { title: 'FROM', align: 'right', of: ({ minVersion }) => String(minVersion) },
      { title: 'TO', align: 'right', of: ({ maxVersion }) => String(maxVersion) },
    ],
    versions,
  )
}
