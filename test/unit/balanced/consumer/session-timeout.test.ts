import { afterEach, expect, it, jest } from '@jest/globals'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { SessionTimeout } from '../../../../src/balanced/consumer/session-timeout.ts'
import { clusterAt } from '../../../support/fake-cluster.ts'
import { fakeGroup, tellSessionTimeout } from '../../../support/balanced/fake-group.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

const now = performance.now.bind(performance)

/** Moves the clock on, to this many milliseconds after the real one. Timers stay as they are. */
function moveClock(ms: number): void {
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms)
}

it('a session timeout that could not be read is read again soon, not only after metadataMaxAgeMs', async () => {
  await using group = await fakeGroup()
  const cluster = clusterAt([group.broker], { metadataMaxAgeMs: 300_000 })
  const session = new SessionTimeout(cluster, 'g')
  tellSessionTimeout(group.broker, { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS })
  await session.refresh()
  expect(session.timeoutMs).toBe(45_000)
  tellSessionTimeout(group.broker, { timeoutMs: 6_000 })
  moveClock(10_000)
  await session.refresh()
  expect(session.timeoutMs).toBe(6_000)
  await cluster.close(0)
})

it('a session timeout that this client may not read is asked for again only after metadataMaxAgeMs', async () => {
  await using group = await fakeGroup()
  const cluster = clusterAt([group.broker], { metadataMaxAgeMs: 300_000 })
  const session = new SessionTimeout(cluster, 'g')
  const asked = () => group.broker.requests.filter(({ api }) => api === 'DescribeConfigs').length
  tellSessionTimeout(group.broker, { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED })
  await session.refresh()
  moveClock(200_000)
  await session.refresh()
  expect(asked()).toBe(1)
  moveClock(400_000)
  await session.refresh()
  expect(asked()).toBe(2)
  await cluster.close(0)
})
