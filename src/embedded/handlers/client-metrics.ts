/** The metrics of clients (KIP-714). */
import { getTelemetrySubscriptions } from '../../../protocol/apis/get-telemetry-subscriptions.ts'
import { pushTelemetry } from '../../../protocol/apis/push-telemetry.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf } from '../refused.ts'
import { ACCEPTED_COMPRESSIONS, TELEMETRY_MAX_BYTES } from '../telemetry/client-metrics.ts'
import type { MeasuredClient } from '../telemetry/subscriptions.ts'

const NOTHING = {
  throttleTimeMs: 0,
  clientInstanceId: ZERO_UUID,
  subscriptionId: 0,
  acceptedCompressionTypes: [],
  pushIntervalMs: 0,
  telemetryMaxBytes: 0,
  deltaTemporality: false,
  requestedMetrics: [],
}

export const getTelemetrySubscriptionsHandler = handler(getTelemetrySubscriptions, {
  handle: ({ clientInstanceId }, context) => {
    const { clientMetrics } = context.cluster
    const { nowMs } = clockOf(context)
    const outcome = outcomeOf(() =>
      clientMetrics.subscribe(clientOf(context, clientInstanceId), nowMs),
    )
    if (outcome.refused !== undefined) {
      return { ...NOTHING, errorCode: outcome.refused.errorCode }
    }
    const { id, subscriptionId, intervalMs, metrics } = outcome.value
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      clientInstanceId: id,
      subscriptionId,
      acceptedCompressionTypes: [...ACCEPTED_COMPRESSIONS],
      pushIntervalMs: intervalMs,
      telemetryMaxBytes: TELEMETRY_MAX_BYTES,
      deltaTemporality: true,
      requestedMetrics: [...metrics],
    }
  },
  refuse: (errorCode) => ({ ...NOTHING, errorCode }),
})

export const pushTelemetryHandler = handler(pushTelemetry, {
  handle: (push, context) => {
    const { nowMs } = clockOf(context)
    const client = clientOf(context, push.clientInstanceId)
    const { refused } = outcomeOf(() => context.cluster.clientMetrics.push(client, push, nowMs))
    return { throttleTimeMs: 0, errorCode: refused?.errorCode ?? 0 }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode }),
})

function clockOf({ cluster }: RequestContext): { readonly nowMs: number } {
  return { nowMs: cluster.nowMs() }
}

function clientOf(context: RequestContext, instanceId: string): MeasuredClient {
  const { clientId, clientHost, broker } = context
  return {
    instanceId,
    clientId: clientId ?? '',
    host: clientHost.replace('/', ''),
    broker: broker.id,
  }
}
