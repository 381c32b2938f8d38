/** Byte quotas of Produce and Fetch. */
import type { RequestContext } from '../api/context.ts'
import type { ByteRate, QuotaClient } from '../quotas/client-quotas.ts'

function clientOf({ login, clientId }: RequestContext): QuotaClient {
  return { user: (login.principal ?? '').replace(/^User:/, ''), clientId: clientId ?? '' }
}

/** Counts bytes, and throttles a client that is over its quota. Returns the throttle time. */
export function throttle(context: RequestContext, quota: ByteRate, bytes: number): number {
  const { quotas } = context.security
  const nowMs = performance.now()
  const ms = quotas.recordAndThrottleMs(clientOf(context), quota, bytes, nowMs)
  context.throttle.byQuota(ms)
  return ms
}

export function unrecord(context: RequestContext, quota: ByteRate, bytes: number): void {
  context.security.quotas.unrecord(clientOf(context), quota, bytes, performance.now())
}

export function mostBytes(context: RequestContext, quota: ByteRate): number {
  return context.security.quotas.mostBytes(clientOf(context), quota)
}
