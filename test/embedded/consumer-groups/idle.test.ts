/** A group of the consumer protocol (KIP-848) that has nothing to read, for two hours of simulated time. */
import { afterEach, expect, it, jest } from '@jest/globals'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ClosedError } from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'
import { Scene } from '../support/consumer-group-scene.ts'

const HOUR_SECONDS = 3_600
/** Kafka's defaults, which the assertions count with. */
const HEARTBEAT_INTERVAL_MS = 5_000

/** Rounds of the event loop in which what timers have sent is received and answered. */
const ROUNDS = 8

afterEach(() => {
  jest.useRealTimers()
})

async function input(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Lets simulated time pass in steps of a second, so that requests are answered between their timers. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    jest.advanceTimersByTime(1_000)
    await input()
  }
}

function footprint() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return {
    timers: jest.getTimerCount(),
    resources: process.getActiveResourcesInfo().length,
    heapBytes: process.memoryUsage().heapUsed,
  }
}

it('a group without messages keeps its assignment for two hours, at the cost of its heartbeats', async () => {
  await using scene = await Scene.open({
    groupConsumerHeartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    groupConsumerSessionTimeoutMs: 45_000,
  })
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
  const names = ['one', 'two', 'three']
  const started = names.map((name) => scene.member(name, { fetchWaitMaxMs: 10_000 }))
  await pass(60)
  const members = await Promise.all(started)
  const reading = members.map((member) => failureOf(member.consume()))
  await pass(60)
  const log = [...scene.log]
  const assignments = members.map(({ assignment }) => assignment)
  expect(assignments.flat()).toHaveLength(4)
  const [before] = await described(scene)

  await pass(HOUR_SECONDS)
  scene.kafka.requests.clear()
  const first = footprint()
  await pass(HOUR_SECONDS)
  const requests = scene.kafka.requests.all()
  const count = (...apis: readonly string[]) =>
    requests.filter(({ api }) => apis.includes(api)).length
  const heartbeats = (names.length * HOUR_SECONDS * 1_000) / HEARTBEAT_INTERVAL_MS
  expect(count('ConsumerGroupHeartbeat')).toBeGreaterThan(heartbeats * 0.95)
  expect(count('ConsumerGroupHeartbeat')).toBeLessThan(heartbeats * 1.05)
  // Metadata and the session timeout are read again after metadataMaxAgeMs, which is 5 minutes.
  expect(requests.length - count('ConsumerGroupHeartbeat', 'Fetch')).toBeLessThan(100)
  scene.kafka.requests.clear()
  const second = footprint()
  // A request may be under way at one of the two times; what leaks leaks with each of thousands.
  expect(second.timers).toBeLessThan(first.timers + 10)
  expect(second.resources).toBeLessThan(first.resources + 10)
  expect(second.heapBytes - first.heapBytes).toBeLessThan(2_000_000)
  expect(scene.log).toEqual(log)
  expect(members.map(({ assignment }) => assignment)).toEqual(assignments)
  expect(members.every(({ isOwnershipCertain }) => isOwnershipCertain)).toBe(true)
  const [after] = await described(scene)
  expect(after).toEqual(before)
  const closing = Promise.all(members.map((member) => member.close()))
  await pass(60)
  await closing
  for (const error of await Promise.all(reading)) expect(error).toBeInstanceOf(ClosedError)
})

async function described(scene: Scene) {
  const describing = scene.client().admin.describeGroups(['g'])
  await pass(2)
  return describing
}
