/**
 * From these versions on a broker that throttles answers immediately and expects the client to wait (KIP-219, Kafka
 * 2.0). Before, the broker delayed its answer itself, and waiting again would double the delay. Later APIs expect the
 * wait in every version.
 */
const CLIENT_WAITS_FROM: Readonly<Record<string, number>> = {
  Produce: 6,
  Fetch: 8,
  ListOffsets: 3,
  Metadata: 6,
  OffsetCommit: 4,
  OffsetFetch: 4,
  FindCoordinator: 2,
  JoinGroup: 3,
  Heartbeat: 2,
  LeaveGroup: 2,
  SyncGroup: 2,
  DescribeGroups: 2,
  ListGroups: 2,
  ApiVersions: 2,
  CreateTopics: 3,
  DeleteTopics: 2,
  DeleteRecords: 1,
  InitProducerId: 1,
  OffsetForLeaderEpoch: 3,
  AddPartitionsToTxn: 1,
  AddOffsetsToTxn: 1,
  EndTxn: 1,
  TxnOffsetCommit: 1,
  DescribeAcls: 1,
  CreateAcls: 1,
  DeleteAcls: 1,
  DescribeConfigs: 2,
  AlterConfigs: 1,
  AlterReplicaLogDirs: 1,
  DescribeLogDirs: 1,
  CreatePartitions: 1,
  CreateDelegationToken: 1,
  RenewDelegationToken: 1,
  ExpireDelegationToken: 1,
  DescribeDelegationToken: 1,
  DeleteGroups: 1,
}

/**
 * The longest throttle time that the client accepts. Kafka's quotas request eleven seconds at most by default
 * (`quota.window.num` × `quota.window.size.seconds`); 2^31−1 ms would block a connection for 24 days.
 */
export const LONGEST_THROTTLE_MS = 60_000

/** For how long a broker throttles the client, as a response reports; 0 if it does not. */
export function reportedThrottleMs(response: object): number {
  if (!('throttleTimeMs' in response) || typeof response.throttleTimeMs !== 'number') return 0
  return response.throttleTimeMs
}

/** How much of that the client has to wait; 0 where the broker has waited itself. */
export function throttleMs(api: string, version: number, reportedMs: number): number {
  return version >= (CLIENT_WAITS_FROM[api] ?? 0) ? reportedMs : 0
}
