import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { CoordinatorKind } from '../../../src/cluster/target.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { clusterAt, layoutOf, tellLayout } from '../../support/fake-cluster.ts'
import { LateDeadline } from '../../support/late-deadline.ts'
import { failureOf } from '../../support/settled.ts'

let one: FakeBroker
let two: FakeBroker
let cluster: Cluster
/** What brokers answer: the second, or an error while there is one. */
let error: number

beforeEach(async () => {
  one = await FakeBroker.start()
  two = await FakeBroker.start()
  tellLayout(layoutOf([one, two]), one, two)
  error = ErrorCode.NONE
  tellCoordinator(one)
  tellCoordinator(two)
  cluster = clusterAt([one])
})
afterEach(async () => {
  await cluster.close(0)
  await one.stop()
  await two.stop()
})

function tellCoordinator(broker: FakeBroker): void {
  broker.handle(findCoordinator, ({ key, coordinatorKeys }, { version }) => {
    const found = { errorCode: error, nodeId: 2, ...two.address }
    return version < 4
      ? { ...found, coordinators: [] }
      : { coordinators: coordinatorKeys.map((one) => ({ ...found, key: one || key })) }
  })
}

const find = (kind: CoordinatorKind = 'group', key = 'readers', until = new Deadline(5_000)) =>
  cluster.coordinators.of(kind, key, until)
const asked = () => [...one.received(findCoordinator), ...two.received(findCoordinator)]

describe('a coordinator', () => {
  it('is looked up once', async () => {
    const first = await find()
    expect(first.name).toBe(two.name)
    expect(await find()).toBe(first)
    expect(asked()).toHaveLength(1)
  })

  it('is looked up separately for each group and transactional id', async () => {
    await find('group', 'same')
    await find('transaction', 'same')
    await find('group', 'other')
    const bodies = asked().map(({ body }) => body)
    expect(bodies).toHaveLength(3)
    for (const wanted of [
      { coordinatorKeys: ['same'], keyType: 0 },
      { coordinatorKeys: ['same'], keyType: 1 },
      { coordinatorKeys: ['other'], keyType: 0 },
    ]) {
      expect(bodies).toContainEqual(expect.objectContaining(wanted))
    }
  })

  it('is looked up again after it was invalidated', async () => {
    const first = await find()
    cluster.coordinators.forget('group', 'readers')
    expect(await find()).toBe(first)
    expect(asked()).toHaveLength(2)
  })

  it('is looked up again when its broker has moved', async () => {
    const first = await find()
    cluster.learnBroker(2, { host: '127.0.0.1', port: 1 })
    expect(await find()).not.toBe(first)
  })

  it('is requested until it is available', async () => {
    error = ErrorCode.COORDINATOR_NOT_AVAILABLE
    const finding = find()
    // Which of the brokers is asked is left to chance once both are known.
    await Promise.race([one, two].map((broker) => broker.until(() => asked().length >= 3)))
    error = ErrorCode.NONE
    expect((await finding).name).toBe(two.name)
  })

  it('is requested no longer than the deadline', async () => {
    error = ErrorCode.COORDINATOR_NOT_AVAILABLE
    const until = new LateDeadline()
    const failing = failureOf(find('group', 'readers', until))
    await Promise.race([one, two].map((broker) => broker.until(() => asked().length >= 2)))
    until.endIn(200)
    const failure = await failing
    // The deadline ends the wait for the next attempt, or the attempt itself: then the one before is told, too.
    expect(failure.message).toContain('COORDINATOR_NOT_AVAILABLE')
  })

  it('is not requested again if that cannot help', async () => {
    error = ErrorCode.GROUP_AUTHORIZATION_FAILED
    expect(await failureOf(find())).toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
    expect(asked()).toHaveLength(1)
  })

  it('is requested in the version that the broker supports', async () => {
    await using old = await FakeBroker.start({ versions: { FindCoordinator: [0, 3] } })
    tellLayout(layoutOf([old, two]), old)
    tellCoordinator(old)
    const ofOld = clusterAt([old])
    const found = await ofOld.coordinators.of('group', 'readers', new Deadline(5_000))
    expect(found.name).toBe(two.name)
    expect(old.received(findCoordinator)[0]).toMatchObject({ version: 3, body: { key: 'readers' } })
    await ofOld.close(0)
  })

  it('keeps its connections when metadata adds its rack', async () => {
    const coordinator = await find()
    await coordinator.versions()
    expect(cluster.learnBroker(2, two.address, 'rack-a')).toBe(coordinator)
    expect(coordinator.rack).toBe('rack-a')
    expect(two.openConnections).toBe(1)
  })
})
