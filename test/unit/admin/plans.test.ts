import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { minimalMoves } from '../../../src/admin/minimal-moves.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { ItemsFailedError, KafkaClient, type Admin, type AdminPlan } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
let admin: Admin
beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 3, topics: { orders: { partitions: 2 } } })
  client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  admin = client.admin
  await using producer = await client.topic('orders').getProducer({ lingerMs: 0 })
  for (let i = 0; i < 20; i++) void producer.produce(`${i}`, { partition: i % 2 })
  await producer.flush()
})
afterAll(async () => {
  await client.close()
  await kafka.stop()
})

const at = (partition: number) => ({ topic: 'orders', partition })
/** Through JSON, as a plan that was kept in a file. */
const kept = (plan: AdminPlan) => JSON.parse(JSON.stringify(plan)) as AdminPlan

describe('a plan to reset offsets', () => {
  it('shows the new offsets of the group, changes nothing, and is executed by apply', async () => {
    await admin.alterGroupOffsets('readers', [{ ...at(0), offset: 4 }])
    const plan = await admin.planOffsetReset({
      group: 'readers',
      topics: ['orders'],
      to: 'latest',
    })
    expect(plan).toEqual({
      kind: 'offsetReset',
      group: 'readers',
      offsets: [
        { ...at(0), from: 4, to: 10 },
        { ...at(1), to: 10 },
      ],
    })
    expect((await admin.listGroupOffsets(['readers']))[0]?.offsets).toMatchObject([{ offset: 4 }])
    expect(await admin.apply(kept(plan))).toEqual([at(0), at(1)])
    expect((await admin.listGroupOffsets(['readers']))[0]?.offsets).toMatchObject([
      { offset: 10 },
      { offset: 10 },
    ])
  })

  it('accepts times, distances and given offsets, and stays within the log', async () => {
    await admin.alterGroupOffsets('moving', [{ ...at(0), offset: 4 }])
    const to = async (target: Parameters<Admin['planOffsetReset']>[0]['to']) =>
      (await admin.planOffsetReset({ group: 'moving', to: target })).offsets.map((one) => one.to)
    expect(await to('earliest')).toEqual([0])
    expect(await to(new Date(0))).toEqual([0])
    expect(await to(new Date('2100-01-01'))).toEqual([10])
    expect(await to({ by: -3 })).toEqual([1])
    expect(await to({ by: 100 })).toEqual([10])
    expect(await to({ offsets: [{ ...at(1), offset: 7 }] })).toEqual([7])
  })

  it('is refused for partitions whose offsets changed since, and the other partitions are reset', async () => {
    await admin.alterGroupOffsets('raced', [
      { ...at(0), offset: 1 },
      { ...at(1), offset: 1 },
    ])
    const plan = await admin.planOffsetReset({ group: 'raced', to: 'earliest' })
    await admin.alterGroupOffsets('raced', [{ ...at(1), offset: 2 }])
    const error = await failureOf(admin.apply(plan))
    if (!(error instanceof ItemsFailedError)) throw error
    expect(error.results.map((one) => one.error?.code)).toEqual([undefined, 'PLAN_OUTDATED'])
    expect((await admin.listGroupOffsets(['raced']))[0]?.offsets).toMatchObject([
      { offset: 0 },
      { offset: 2 },
    ])
  })

  it('throws for a topic that does not exist and for an invalid plan', async () => {
    const plan = admin.planOffsetReset({ group: 'readers', topics: ['nobody'], to: 'latest' })
    expect(await failureOf(plan)).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(await failureOf(admin.apply({} as never))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    const wrong = admin.planOffsetReset({ group: 'readers', to: 'end' as never })
    expect((await failureOf(wrong)).message).toContain("option 'to' must be 'earliest'")
  })
})

describe('a plan of reassignments', () => {
  it('moves only the replicas that must move, is plain data, and is executed by apply', async () => {
    await admin.createTopics([
      {
        topic: 'spread',
        assignments: [
          [1, 2],
          [2, 3],
          [3, 1],
        ],
      },
    ])
    const plan = await admin.planReassignment({ topics: ['spread'], brokers: [1, 2] })
    expect(plan.moves.map(({ partition }) => partition)).toEqual([1, 2])
    expect(await admin.apply(kept(plan))).toHaveLength(2)
    const [spread] = await admin.describeTopics(['spread'])
    for (const { replicas } of spread!.partitions) expect([...replicas].sort()).toEqual([1, 2])
    expect((await admin.planReassignment({ topics: ['spread'], brokers: [1, 2] })).moves).toEqual(
      [],
    )
    const outdated = await failureOf(admin.apply(plan))
    expect(outdated).toMatchObject({ code: 'PLAN_OUTDATED' })
  })

  it('changes the replication factor, and rejects more replicas than brokers', async () => {
    await admin.createTopics([{ topic: 'single', assignments: [[1], [2]] }])
    const plan = await admin.planReassignment({ topics: ['single'], replicationFactor: 3 })
    expect(plan.moves.map(({ to }) => to.length)).toEqual([3, 3])
    expect(plan.moves.map(({ to }) => to[0])).toEqual([1, 2])
    const tooMany = admin.planReassignment({ topics: ['single'], replicationFactor: 4 })
    expect((await failureOf(tooMany)).message).toContain('4 replicas on 3 brokers')
    const unknown = admin.planReassignment({ topics: ['single'], brokers: [1, 9] })
    expect((await failureOf(unknown)).message).toContain('no running broker 9')
  })

  it('keeps each replica that can stay, and uses as many racks as there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 5 }), {
          maxLength: 20,
        }),
        fc.integer({ min: 1, max: 5 }),
        (brokerCount, rackCount, partitions, factor) => {
          const brokers = Array.from({ length: brokerCount }, (_, index) => ({
            id: index + 1,
            rack: `rack ${index % rackCount}`,
          }))
          const count = Math.min(factor, brokerCount)
          const rackOf = new Map(brokers.map(({ id, rack }) => [id, rack]))
          const racksThere = new Set(rackOf.values()).size
          for (const [index, to] of minimalMoves(partitions, brokers, count).entries()) {
            expect(new Set(to).size).toBe(count)
            expect(to.every((id) => rackOf.has(id))).toBe(true)
            expect(new Set(to.map((id) => rackOf.get(id))).size).toBe(Math.min(count, racksThere))
            const from = partitions[index]!
            const usable = from.filter((id) => rackOf.has(id))
            const racksBefore = new Set(usable.map((id) => rackOf.get(id))).size
            // What has to be added beside the replicas that can stay, one a rack first.
            const mayStay = Math.min(
              count,
              Math.min(racksBefore, count) +
                Math.min(usable.length - racksBefore, count - Math.min(count, racksThere)),
            )
            expect(to.filter((id) => !from.includes(id))).toHaveLength(count - mayStay)
            // The leader stays where its replica does.
            if (to.includes(from[0]!)) expect(to[0]).toBe(from[0])
          }
        },
      ),
    )
  })

  it('places new replicas on the brokers with the fewest', () => {
    const brokers = [1, 2, 3, 4].map((id) => ({ id, rack: undefined }))
    const targets = minimalMoves([[1], [1], [1], [1], [1], [1]], brokers, 2)
    const loads = [2, 3, 4].map((id) => targets.flat().filter((one) => one === id).length)
    expect(loads).toEqual([2, 2, 2])
  })
})
