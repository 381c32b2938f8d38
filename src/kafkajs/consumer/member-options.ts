import type { Assignor } from '../../index.ts'
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { ConsumerConfig } from '../types/consumer.ts'

const ONE_MIB = 1024 * 1024

const LEAST_HEARTBEAT_MS = 100

/** Converts the options of a consumer of kafkajs to those of samsa. */
export function memberOptions(
  config: ConsumerConfig,
  times: { readonly sessionTimeout: number; readonly heartbeatInterval: number },
  assignors: readonly Assignor[],
) {
  const { groupId, rebalanceTimeout = 60_000, rackId = '', groupInstanceId } = config
  const { partitionAssignment } = config
  if (
    partitionAssignment !== undefined &&
    // Callers without types may pass any value.
    (partitionAssignment as string) !== 'cooperative-sticky'
  ) {
    throw new KafkaJSNonRetriableError(
      `partitionAssignment must be cooperative-sticky, not ${String(partitionAssignment)}`,
    )
  }
  return {
    consumerGroup: groupId,
    managed: true,
    assignors: partitionAssignment === undefined ? assignors : [partitionAssignment],
    sessionTimeoutMs: times.sessionTimeout,
    // 0 stands for a heartbeat after each message in kafkajs.
    heartbeatIntervalMs: Math.max(times.heartbeatInterval, LEAST_HEARTBEAT_MS),
    // samsa sends it as the rebalance timeout of JoinGroup, which limits how long a rebalance waits for this member.
    maxPollIntervalMs: rebalanceTimeout,
    rebalanceTimeoutMs: rebalanceTimeout,
    rebalanceBackoffMs: 300,
    fetchMessageMaxBytes: config.maxBytesPerPartition ?? ONE_MIB,
    // Brokers respond to 0 at once, as to 1 if there is data; but 0 excludes a time to wait.
    fetchMinBytes: Math.max(config.minBytes ?? 1, 1),
    fetchWaitMaxMs: config.minBytes === 0 ? 0 : (config.maxWaitTimeInMs ?? 5_000),
    isolationLevel:
      config.readUncommitted === true ? ('read_uncommitted' as const) : ('read_committed' as const),
    autoCommitEnable: false,
    ...(rackId === '' ? {} : { clientRack: rackId }),
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
  } as const
}
