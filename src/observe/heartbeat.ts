import { heartbeatChannel, type HeartbeatEvent } from './channels.ts'
import type { ClientMetrics } from './metrics/client-metrics.ts'

/** Counts a heartbeat of a group member and publishes its event, for all kinds of groups. */
export function reportHeartbeat(
  metrics: ClientMetrics,
  heartbeat: Omit<HeartbeatEvent, 'clientId'>,
): void {
  const counted = metrics.group(heartbeat.group)
  if (heartbeat.error === undefined) counted.heartbeatDuration.recordMs(heartbeat.durationMs)
  else counted.heartbeatFailures++
  if (!heartbeatChannel.hasSubscribers) return
  const event: HeartbeatEvent = { clientId: metrics.clientId, ...heartbeat }
  heartbeatChannel.publish(event)
}
