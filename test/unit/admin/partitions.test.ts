import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { ItemsFailedError, KafkaClient, type Admin } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
let admin: Admin
beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 3 })
  client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  admin = client.admin
  await admin.createTopics([
    { topic: 'moved', assignments: [[1], [1, 2]] },
    { topic: 'led', assignments: [[2, 1, 3]] },
  ])
})
afterAll(async () => {
  await client.close()
  await kafka.stop()
})

const at = (topic: string, partition: number) => ({ topic, partition })
const replicasOf = async (topic: string, partition: number) =>
  (await admin.describeTopics([topic]))[0]?.partitions[partition]?.replicas

describe('reassignments', () => {
  it('assign a partition other replicas and another leader', async () => {
    await using producer = await client.topic('moved').getProducer({ lingerMs: 0 })
    await producer.produce('kept', { partition: 0 })
    const done = await admin.alterPartitionReassignments([{ ...at('moved', 0), replicas: [3, 2] }])
    expect(done).toEqual([at('moved', 0)])
    expect(await replicasOf('moved', 0)).toEqual([3, 2])
    expect(kafka.leaderOf('moved', 0)).toBe(3)
    await producer.produce('written after the move', { partition: 0 })
    expect(await admin.listOffsets([at('moved', 0)], 'latest')).toMatchObject([{ offset: 2 }])
  })

  it('are listed while they wait for a broker, and are reverted when they are cancelled', async () => {
    await kafka.stopBroker(3)
    await admin.alterPartitionReassignments([{ ...at('moved', 1), replicas: [2, 3] }])
    expect(await admin.listPartitionReassignments()).toEqual([
      { ...at('moved', 1), replicas: [2, 3, 1], addingReplicas: [3], removingReplicas: [1] },
    ])
    expect(await admin.listPartitionReassignments([at('led', 0)])).toEqual([])
    await admin.alterPartitionReassignments([{ ...at('moved', 1), replicas: null }])
    expect(await replicasOf('moved', 1)).toEqual([1, 2])
    await admin.alterPartitionReassignments([{ ...at('moved', 1), replicas: [2, 3] }])
    await kafka.startBroker(3)
    expect(await admin.listPartitionReassignments()).toEqual([])
    expect(await replicasOf('moved', 1)).toEqual([2, 3])
  })

  it('that have finished are cancelled without an error', async () => {
    const cancel = { ...at('moved', 0), replicas: null }
    expect(await admin.alterPartitionReassignments([cancel])).toEqual([at('moved', 0)])
  })

  it('report which partition failed when only some are invalid, and move the others', async () => {
    const error = await failureOf(
      admin.alterPartitionReassignments([
        { ...at('moved', 0), replicas: [1] },
        { ...at('moved', 1), replicas: [9] },
        { ...at('nobody', 0), replicas: [1] },
      ]),
    )
    if (!(error instanceof ItemsFailedError)) throw error
    expect(error.results.map((one) => one.error?.code)).toEqual([
      undefined,
      'INVALID_REPLICA_ASSIGNMENT',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
    expect(error.results[1]?.error?.message).toContain('broker 9')
    expect(await replicasOf('moved', 0)).toEqual([1])
  })

  it('can be required to keep the number of replicas', async () => {
    const grow = [{ ...at('moved', 0), replicas: [1, 2] }]
    const options = { allowReplicationFactorChange: false }
    expect(await failureOf(admin.alterPartitionReassignments(grow, options))).toMatchObject({
      code: 'INVALID_REPLICATION_FACTOR',
    })
  })

  it('with invalid replicas are rejected before anything is sent', async () => {
    const before = kafka.requests.all().length
    for (const [replicas, message] of [
      [[], 'moved-0 must have at least one replica'],
      [[1, 1], 'is given twice'],
      [[-1], "moved-0 of alterPartitionReassignments: option 'replicas' must be a whole number"],
      ['1', "moved-0 of alterPartitionReassignments: option 'replicas' must be an array"],
    ] as const) {
      const call = admin.alterPartitionReassignments([
        { ...at('moved', 0), replicas: replicas as never },
      ])
      expect((await failureOf(call)).message).toContain(message)
    }
    expect(kafka.requests.all().length).toBe(before)
  })
})

describe('elections', () => {
  it('make the preferred replica the leader', async () => {
    kafka.moveLeader('led', 0, 3)
    expect(await admin.electLeaders('preferred', [at('led', 0)])).toEqual([
      { ...at('led', 0), isElected: true },
    ])
    expect(kafka.leaderOf('led', 0)).toBe(2)
  })

  it('succeed when they are not needed, and report that', async () => {
    expect(await admin.electLeaders('preferred', [at('led', 0)])).toEqual([
      { ...at('led', 0), isElected: false },
    ])
  })

  it('of all partitions name those that had another leader', async () => {
    kafka.moveLeader('led', 0, 1)
    expect(await admin.electLeaders('preferred', null)).toEqual([
      { ...at('led', 0), isElected: true },
    ])
  })

  it('of a preferred replica that is down fail at once, with an error for the partition', async () => {
    await kafka.stopBroker(2)
    const [found] = await admin.electLeaders('preferred', [at('led', 0)], { settle: true })
    expect(found).toEqual({ ...at('led', 0), error: expect.anything() })
    expect(found?.error?.code).toBe('PREFERRED_LEADER_NOT_AVAILABLE')
    await kafka.startBroker(2)
  })

  it('make an out-of-sync replica the leader if the election is unclean', async () => {
    await admin.createTopics([{ topic: 'lost', assignments: [[1, 3]] }])
    await kafka.stopBroker(3)
    await kafka.stopBroker(1)
    await kafka.startBroker(3)
    const found = await admin.electLeaders('unclean', [at('lost', 0)], { settle: true })
    expect(found[0]?.error).toBeUndefined()
    expect(kafka.leaderOf('lost', 0)).toBe(3)
    await kafka.startBroker(1)
  })

  it('follow a controller that moves during the call', async () => {
    kafka.moveLeader('led', 0, 1)
    const fault = kafka.faults.on({ api: 'ElectLeaders', times: 2 }, { error: 'NOT_CONTROLLER' })
    expect(await admin.electLeaders('preferred', [at('led', 0)])).toEqual([
      { ...at('led', 0), isElected: true },
    ])
    expect(fault.hits).toBe(2)
  })
})

describe('log directories', () => {
  it('are described by broker, with the size of each replica', async () => {
    const brokers = await admin.describeLogDirs()
    expect(brokers.map(({ broker }) => broker)).toEqual([1, 2, 3])
    const of2 = brokers[1]?.logDirs[0]
    expect(of2?.replicas).toContainEqual({
      ...at('led', 0),
      sizeBytes: 0,
      offsetLag: 0,
      isFuture: false,
    })
    const [only] = await admin.describeLogDirs([2], { partitions: [at('led', 0)] })
    expect(only?.logDirs[0]?.replicas).toHaveLength(1)
  })

  it('of a broker that is down are an error for that broker, and the others are complete', async () => {
    const fault = kafka.faults.on({ api: 'DescribeLogDirs', broker: 3 }, { close: true })
    const brokers = await admin.describeLogDirs([1, 3], { timeoutMs: 1_500 })
    fault.remove()
    expect(brokers[0]).toMatchObject({ broker: 1, logDirs: [{ logDir: expect.any(String) }] })
    expect(brokers[1]).toMatchObject({ broker: 3, logDirs: [], error: { retriable: true } })
  })

  it('are returned for single replicas, a missing replica without a directory', async () => {
    const [there, elsewhere] = await admin.describeReplicaLogDirs([
      { ...at('led', 0), broker: 1 },
      { ...at('moved', 0), broker: 3 },
    ])
    expect(there).toMatchObject({ logDir: expect.any(String), offsetLag: 0 })
    expect(elsewhere).toEqual({ ...at('moved', 0), broker: 3 })
  })

  it('that a broker does not have are an error for the move', async () => {
    const move = { ...at('led', 0), broker: 1, logDir: '/nowhere' }
    expect(await failureOf(admin.alterReplicaLogDirs([move]))).toMatchObject({
      code: 'LOG_DIR_NOT_FOUND',
    })
    const [{ logDirs } = { logDirs: [] }] = await admin.describeLogDirs([1])
    await admin.alterReplicaLogDirs([{ ...move, logDir: logDirs[0]!.logDir }])
  })
})
