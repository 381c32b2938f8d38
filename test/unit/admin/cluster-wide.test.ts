import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { offsetCommit } from '../../../protocol/apis/offset-commit.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type Admin } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'
import { transactionalBatch } from './support/open-transaction.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
let admin: Admin
beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 3, topics: { orders: { partitions: 2 } } })
  client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  admin = client.admin
})
afterAll(async () => {
  await client.close()
  await kafka.stop()
})

const partition = { topic: 'orders', partition: 0 }

describe('features', () => {
  const levelOf = async (feature: string) =>
    (await admin.describeFeatures()).find((one) => one.feature === feature)?.finalizedVersion

  it('are only checked in a dry run', async () => {
    const update = {
      feature: 'transaction.version',
      version: 1,
      upgradeType: 'safeDowngrade',
    } as const
    await admin.updateFeatures([update], { validateOnly: true })
    expect(await levelOf('transaction.version')).toBe(2)
  })

  it('are lowered only by an explicit downgrade, all or none', async () => {
    const down = { feature: 'transaction.version', version: 1 } as const
    const refused = await failureOf(admin.updateFeatures([down]))
    expect(refused).toMatchObject({ code: 'INVALID_UPDATE_VERSION' })
    const both = await admin.updateFeatures(
      [
        { ...down, upgradeType: 'safeDowngrade' },
        { feature: 'no.such.version', version: 1 },
      ],
      { settle: true },
    )
    expect(both.map(({ error }) => error?.code)).toEqual([
      'INVALID_UPDATE_VERSION',
      'INVALID_UPDATE_VERSION',
    ])
    expect(await levelOf('transaction.version')).toBe(2)
    await admin.updateFeatures([{ ...down, upgradeType: 'unsafeDowngrade' }])
    expect(await levelOf('transaction.version')).toBe(1)
    await admin.updateFeatures([{ feature: 'transaction.version', version: 2 }])
    expect(await levelOf('transaction.version')).toBe(2)
  })

  it('with an invalid level or type are rejected by name', async () => {
    for (const [update, message] of [
      [{ feature: 'a' }, "option 'version' is missing"],
      [{ feature: 'a', version: -1 }, "option 'version'"],
      [{ feature: 'a', version: 1, upgradeType: 'down' }, "option 'upgradeType'"],
    ] as const) {
      expect((await failureOf(admin.updateFeatures([update as never]))).message).toContain(message)
    }
  })
})

describe('the quorum', () => {
  it('has a leader and voters', async () => {
    const quorum = await admin.describeMetadataQuorum()
    expect(quorum.voters.map(({ replica }) => replica)).toEqual([1, 2, 3])
    expect(quorum.nodes.map(({ node }) => node)).toContain(quorum.leader)
    expect(JSON.stringify(quorum)).toContain('"highWatermark"')
  })

  it('causes an UnsupportedVersionError when brokers have none', async () => {
    await using old = await EmbeddedCluster.start({ version: '2.8' })
    await using other = new KafkaClient({ ...QUICK, hosts: old.hosts })
    expect(await failureOf(other.admin.describeMetadataQuorum())).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    })
  })

  it('accepts no voter without a directory id', async () => {
    const voter = { voter: 4, directoryId: 'short', listeners: [] }
    expect((await failureOf(admin.addRaftVoter(voter))).message).toContain("option 'directoryId'")
    expect((await failureOf(admin.removeRaftVoter({ voter: 4 } as never))).message).toContain(
      'directoryId',
    )
  })
})

describe('producers and transactions', () => {
  it('are found and aborted in the log when they hang', async () => {
    const longAgo = Date.now() - 3_600_000
    // A transaction that no coordinator knows: its producer id was never given out.
    kafka.append('orders', 0, transactionalBatch({ producerId: 77n, timestamp: longAgo }))
    const [described] = await admin.describeProducers([partition])
    expect(described?.producers).toEqual([
      {
        producerId: 77,
        producerEpoch: 0,
        lastSequence: 0,
        lastTimestamp: longAgo,
        currentTransactionStartOffset: 0,
      },
    ])
    const found = await admin.findHangingTransactions()
    expect(found).toMatchObject({ undecided: [], failed: [], incomplete: [] })
    expect(found.transactions).toEqual([
      {
        ...partition,
        producerId: 77,
        producerEpoch: 0,
        lastTimestamp: longAgo,
        startOffset: 0,
      },
    ])
    const end = async () =>
      (await admin.listOffsets([partition], 'latest', { isolationLevel: 'read_committed' }))[0]
        ?.offset
    expect(await end()).toBe(0)
    await admin.abortTransaction(found.transactions[0]!)
    expect(await end()).toBe(2)
    expect((await admin.findHangingTransactions()).transactions).toEqual([])
  })

  it('are not reported as hanging while a coordinator does not respond', async () => {
    const longAgo = Date.now() - 3_600_000
    kafka.append('orders', 1, transactionalBatch({ producerId: 78n, timestamp: longAgo }))
    const fault = kafka.faults.on({ api: 'ListTransactions', broker: 2 }, { close: true })
    const found = await admin.findHangingTransactions({ topics: ['orders'], timeoutMs: 2_500 })
    fault.remove()
    expect(found.transactions).toEqual([])
    expect(found.undecided).toMatchObject([{ topic: 'orders', partition: 1, producerId: 78 }])
    expect(found.incomplete).toMatchObject([{ broker: 2 }])
    expect((await admin.findHangingTransactions()).transactions).toMatchObject([{ producerId: 78 }])
  })

  it('are listed once, by state, producer and pattern', async () => {
    const [first, second] = await admin.fenceProducers(['billing-1', 'billing-2'])
    const ids = async (options: Parameters<Admin['listTransactions']>[0]) =>
      (await admin.listTransactions(options)).transactions.map((one) => one.transactionalId)
    expect(await ids({})).toEqual(['billing-1', 'billing-2'])
    expect(await ids({ states: ['Ongoing'] })).toEqual([])
    expect(await ids({ producerIds: [second!.producerId!] })).toEqual(['billing-2'])
    expect(await ids({ transactionalIdPattern: '.*-1' })).toEqual(['billing-1'])
    const wrong = await failureOf(admin.listTransactions({ transactionalIdPattern: '(' }))
    expect(wrong).toMatchObject({ code: 'INVALID_REGULAR_EXPRESSION' })
    expect((await failureOf(admin.listTransactions({ states: ['Open'] }))).message).toContain(
      "do not know the state 'Open'",
    )
    expect(first).toMatchObject({ transactionalId: 'billing-1', producerEpoch: 0 })
  })

  it('are described in the given order, an unknown one with an error', async () => {
    const [missing, known] = await admin.describeTransactions(['nobody', 'billing-1'])
    expect(missing?.error).toMatchObject({ code: 'TRANSACTIONAL_ID_NOT_FOUND' })
    expect(known).toMatchObject({ transactionalId: 'billing-1', state: 'Empty', partitions: [] })
  })

  it('are fenced: each call increments the epoch', async () => {
    const [before] = await admin.describeTransactions(['billing-1'])
    await admin.forceTerminateTransaction('billing-1')
    const [after] = await admin.describeTransactions(['billing-1'])
    expect(after!.producerEpoch).toBe(before!.producerEpoch! + 1)
  })
})

describe('offsets above 2^53', () => {
  it('cause a named error, not a rounded number', async () => {
    const past = 2n ** 53n + 1n
    await admin.alterGroupOffsets('far', [{ ...partition, offset: 3 }])
    await client.request(
      offsetCommit,
      {
        groupId: 'far',
        topics: [
          {
            name: 'orders',
            partitions: [{ partitionIndex: 0, committedOffset: past, committedMetadata: '' }],
          },
        ],
      },
      { to: { coordinator: 'group', key: 'far' }, maxVersion: 9 },
    )
    const [offsets] = await admin.listGroupOffsets(['far'])
    expect(offsets?.offsets).toEqual([{ ...partition, error: expect.anything() }])
    expect(offsets?.offsets[0]?.error).toMatchObject({ code: 'UNSAFE_INTEGER', value: past })
    expect(JSON.stringify(offsets)).toContain('9007199254740993')
    const [lag] = await admin.lag(['far'])
    expect(lag).not.toHaveProperty('lag')
  })
})
