import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { PartitionMetadata } from '../../src/cluster/metadata.ts'
import { deferred } from '../../src/async/deferred.ts'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import type { CoordinatorEvents } from '../../src/balanced/coordinator.ts'
import type { ZooKeeperClient } from '../../src/balanced/zookeeper/client.ts'
import { ZooKeeperCoordinator } from '../../src/balanced/zookeeper/coordinator.ts'
import { decisionOf } from '../../src/balanced/zookeeper/membership-protocol.ts'
import { parseZooKeeperHosts } from '../../src/cluster/zookeeper-hosts.ts'
import { noOffsets } from '../support/balanced/no-offsets.ts'
import { createNodeClient } from '../../src/balanced/zookeeper/node-client.ts'
import { sessionOptions } from '../../src/balanced/zookeeper/options.ts'
import { Owners } from '../../src/balanced/zookeeper/owners.ts'
import { ZooKeeperSession } from '../../src/balanced/zookeeper/session.ts'
import { GroupPaths } from '../../src/balanced/zookeeper/znodes.ts'

const PATHS = new GroupPaths('g')
const [FOLDER] = PATHS.owners('t')

let zookeeper: EmbeddedZooKeeper
let sessions: ZooKeeperSession[]

beforeEach(async () => {
  zookeeper = await EmbeddedZooKeeper.start()
  sessions = []
})

afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close()))
  await zookeeper.stop()
})

/** A session whose client was changed. */
async function openSession(change: (client: ZooKeeperClient) => void = () => undefined) {
  const options = sessionOptions({ zookeeperHosts: zookeeper.hosts })
  const session = new ZooKeeperSession({
    ...options,
    connect() {
      const client = createNodeClient(parseZooKeeperHosts(zookeeper.hosts), 6_000, undefined)
      change(client)
      return client
    },
    logger: silentLogger,
    events: { reconnected() {}, renewed() {}, expired() {} },
  })
  sessions.push(session)
  await session.open(new AbortController().signal)
  for (const folder of [PATHS.ids, ...PATHS.owners('t')]) await session.ensure(folder)
  return session
}

const ownersOf = (session: ZooKeeperSession) =>
  new Owners(
    session,
    PATHS,
    () => 'me',
    () => undefined,
  )

function metadataOf(partition: number): PartitionMetadata {
  return { partition, errorCode: 0, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }
}

const claimable = (count: number) =>
  Array.from({ length: count }, (_, partition) => {
    return { topic: 't', partition, metadata: metadataOf(partition) }
  })

const entries = (session: ZooKeeperSession) => session.children(FOLDER, () => undefined)

describe('the owners of partitions', () => {
  it('are changed in a few transactions, no matter how many partitions there are', async () => {
    let transactions = 0
    const session = await openSession((client) => {
      const transaction = client.transaction.bind(client)
      client.transaction = () => {
        transactions++
        return transaction()
      }
    })
    const owners = ownersOf(session)
    const { claimed, heldByOthers } = await owners.claim(claimable(120))
    expect(claimed).toHaveLength(120)
    expect(heldByOthers).toEqual([])
    expect(await entries(session)).toHaveLength(120)
    expect(transactions).toBe(3)
    transactions = 0
    await owners.release(claimed)
    expect(await entries(session)).toEqual([])
    // 120 partitions in two folders, a hundred entries at a time.
    expect(transactions).toBe(3)
  })

  it('are claimed, except one that another client claims meanwhile', async () => {
    const other = await openSession()
    let isFirst = true
    const session = await openSession((client) => {
      const list = client.getChildren.bind(client)
      // Another is faster: between what this one reads and what it claims.
      client.getChildren = (path, watcher, done) =>
        list(path, watcher, (error, names) => {
          const claiming = isFirst ? other.createAll([`${FOLDER}/1-7`], 'other') : undefined
          isFirst = false
          void Promise.resolve(claiming).then(() => done(error, names))
        })
    })
    const { claimed, heldByOthers } = await ownersOf(session).claim(claimable(20))
    expect(heldByOthers).toEqual([{ topic: 't', partition: 7, owner: 'other' }])
    expect(claimed.map(({ partition }) => partition)).toEqual(
      claimable(20).flatMap(({ partition }) => (partition === 7 ? [] : [partition])),
    )
    expect(await other.data(`${FOLDER}/1-7`)).toBe('other')
    // None of it in the other folder, where no member has claimed it.
    expect(await session.exists(`${PATHS.owners('t')[1]}/1-7`)).toBe(false)
  })

  it('are released although another client has removed some of them', async () => {
    const session = await openSession()
    const owners = ownersOf(session)
    const { claimed } = await owners.claim(claimable(10))
    await session.removeAll([`${FOLDER}/1-3`])
    await owners.release(claimed)
    for (const folder of PATHS.owners('t')) {
      expect(await session.children(folder, () => undefined)).toEqual([])
    }
  })
})

it('a member detects that a partition was released before it began to wait for it', async () => {
  const other = await openSession()
  await other.createAll([`${FOLDER}/1-0`], 'other')
  const canBeClaimed = deferred()
  const events: CoordinatorEvents = {
    changed: (reason) => {
      if (reason.includes('t-0 can be claimed')) canBeClaimed.resolve()
    },
    lost() {},
    renewed() {},
    failed() {},
    problem() {},
  }
  const coordinator = new ZooKeeperCoordinator(
    {
      group: 'g',
      memberId: 'me',
      subscription: {
        name: "topic 't'",
        onlyTopic: 't',
        includes: (topic) => topic === 't',
        topics: () =>
          Promise.resolve([
            {
              ...{ name: 't', topicId: undefined, isInternal: false, errorCode: 0 },
              partitions: [metadataOf(0)],
            },
          ]),
      },
      decide: decisionOf('range', 'g', silentLogger),
      session: {
        ...sessionOptions({ zookeeperHosts: zookeeper.hosts }),
        connect() {
          const client = createNodeClient(parseZooKeeperHosts(zookeeper.hosts), 6_000, undefined)
          const read = client.getData.bind(client)
          // The owner leaves while this member looks up its name.
          client.getData = (path: string, ...rest: unknown[]) => {
            const going = path === `${FOLDER}/1-0` ? other.removeAll([path]) : Promise.resolve()
            void going.then(() => Reflect.apply(read, client, [path, ...rest]) as unknown)
          }
          return client
        },
      },
      metadataMaxAgeMs: 60_000,
      logger: silentLogger,
      offsets: noOffsets,
    },
    events,
  )
  const { signal } = new AbortController()
  const target = await coordinator.join([], signal)
  expect(target).toEqual([{ topic: 't', partition: 0 }])
  expect((await coordinator.claim(target)).claimed).toEqual([])
  await canBeClaimed.promise
  await coordinator.leave()
})
