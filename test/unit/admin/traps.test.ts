import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

describe('old brokers', () => {
  it.each(['1.1', '2.8'] as const)(
    'trap 2: of Kafka %s leave types and states of groups unknown, and refuse filters by name',
    async (version) => {
      await using kafka = await EmbeddedCluster.start({ version, topics: { orders: {} } })
      await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
      const { admin } = client
      await admin.alterGroupOffsets('old', [{ topic: 'orders', partition: 0, offset: 0 }])
      const { groups } = await admin.listGroups()
      expect(groups[0]).toMatchObject({ group: 'old' })
      expect(groups[0]).not.toHaveProperty('type')
      expect('state' in groups[0]!).toBe(version !== '1.1')
      const byType = await failureOf(admin.listGroups({ types: ['consumer'] }))
      expect(byType).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
      expect(byType.message).toContain('needs Kafka 3.7')
      if (version !== '1.1') return
      const byState = await failureOf(admin.listGroups({ states: ['Stable'] }))
      expect(byState.message).toContain('needs Kafka 2.6')
    },
  )

  it('name the release that has what they lack', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '1.1', topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const partition = { topic: 'orders', partition: 0 }
    for (const [call, release] of [
      [() => admin.alterPartitionReassignments([{ ...partition, replicas: [1] }]), '2.4'],
      [() => admin.electLeaders('preferred', [partition]), '2.2'],
      [() => admin.listPartitionReassignments(), '2.4'],
      [() => admin.describeMetadataQuorum(), '3.3'],
      [() => admin.listTransactions(), '3.0'],
      [() => admin.updateFeatures([{ feature: 'a', version: 1 }]), '2.7'],
      [() => admin.deleteShareGroupOffsets('jobs', ['orders']), '4.1'],
      [() => admin.unregisterBroker(1), '3.0'],
    ] as const) {
      const error = await failureOf(call())
      expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
      expect(error.message).toContain(`Kafka has from ${release} on`)
    }
  })
})

describe('groups', () => {
  it('trap 5: with live members report it when their offsets are set', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    await using member = await client
      .topic('orders')
      .getBalancedConsumer({ consumerGroup: 'live', managed: true })
    const offsets = [{ topic: 'orders', partition: 0, offset: 0 }]
    const error = await failureOf(client.admin.alterGroupOffsets('live', offsets))
    expect(error).toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    expect(error.message).toContain('stop them first, or remove them')
    expect(member.assignment).toBeDefined()
  })

  it('of each broker have their lag one by one, and an error at the end for a broker that is silent', async () => {
    await using kafka = await EmbeddedCluster.start({ brokers: 3, topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const names = Array.from({ length: 12 }, (_, index) => `group-${index}`).sort()
    const offsets = [{ topic: 'orders', partition: 0, offset: 0 }]
    for (const name of names) await admin.alterGroupOffsets(name, offsets)
    const found: string[] = []
    for await (const { group, lag } of admin.eachLag()) {
      expect(lag).toBe(0)
      found.push(group)
    }
    expect(found).toEqual(names)
    const fault = kafka.faults.on({ api: 'ListGroups', broker: 2 }, { close: true })
    const seen: string[] = []
    const partial = failureOf(
      (async () => {
        for await (const { group } of admin.eachLag({ timeoutMs: 2_000 })) seen.push(group)
      })(),
    )
    expect((await partial).message).toContain('missing (2)')
    fault.remove()
    expect(seen.length).toBeLessThan(names.length)
    expect(names).toEqual(expect.arrayContaining(seen))
  })
})
