import { expect } from '@jest/globals'
import type { ShareConsumer } from '../../../src/index.ts'
import { take } from './queue.ts'

/** Renews and accepts messages of a group that has renewals disabled: neither is one lost, nor is an acceptance. */
export async function expectHarmlessRenewals(jobs: ShareConsumer): Promise<void> {
  const [renewed, accepted, both] = await take(jobs, 3)
  renewed!.renew()
  accepted!.accept()
  both!.renew()
  both!.accept()
  expect(await jobs.flush()).toMatchObject([{ acknowledged: 2, failed: 0 }])
  expect(renewed!.isLost).toBe(false)
  renewed!.accept()
  expect(await jobs.flush()).toMatchObject([{ acknowledged: 1, failed: 0 }])
}
