import { DEFAULT_INFLATE_LIMIT_BYTES } from '../../protocol/records/read-batches.ts'
import { InvalidArgumentError } from '../errors.ts'
import {
  aBoolean,
  aDurationMs,
  aFunction,
  anInteger,
  aString,
  type Check,
  either,
  oneOf,
} from '../options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BackoffOptions } from '../async/backoff.ts'
import type { OffsetSpec } from './list-offsets.ts'
import {
  converterOf,
  type Converter,
  type DeserializationPolicy,
  type Deserializer,
} from './consumed-message.ts'
import { KafkaOffsets, type Membership } from './offsets/kafka-offsets.ts'
import type { OffsetStore } from './offsets/offset-store.ts'
import { ZooKeeperOffsets } from './offsets/zookeeper-offsets.ts'

/** What all consumers have in common. The names are pykafka's, where it has one. */
export interface ConsumerOptions<Value = Buffer | null, Key = Buffer | null> {
  /** The group that offsets are committed for. Default: none, then nothing can be committed. */
  readonly consumerGroup?: string
  /**
   * Where the group's offsets are kept: in Kafka, or in ZooKeeper as before Kafka 0.8.2 (through the
   * brokers, which can do that up to 3.9). Default: `kafka`.
   */
  readonly offsetsStorage?: 'kafka' | 'zookeeper'
  /**
   * Where to start without a committed offset, and where to go on when the position is not in the log (any
   * more): `earliest`, `latest`, or `none`, which is an error then. A Date, or milliseconds since 1970, is
   * for the start: the first message at or after it; later on it means `earliest`. Default: `earliest`.
   */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none' | number | Date
  /** Start where `autoOffsetReset` says even if the group has committed offsets. Default: false. */
  readonly resetOffsetOnStart?: boolean
  /** Whether `fetchOffsets` also moves to the offsets that it finds. Default: false (in pykafka true). */
  readonly resetOffsetOnFetch?: boolean
  /**
   * Commit what is processed: every `autoCommitIntervalMs`, before partitions are taken away, and when the consumer is
   * closed. Default: false for loops, `consume` and streams; true from the first `run` on in a consumer with a
   * `consumerGroup`, as `run` knows what its handlers have finished. False: never.
   */
  readonly autoCommitEnable?: boolean
  /** Default: 60,000. */
  readonly autoCommitIntervalMs?: number
  /** How often a commit that failed is tried again. Default: for as long as the call may take. */
  readonly offsetsCommitMaxRetries?: number
  /** The first wait before it is; doubled each time, up to 10 times as much. Default: the client's `retryBackoffMs`. */
  readonly offsetsChannelBackoffMs?: number
  /** How long `consume` and iteration wait for a message before they end; −1: for ever. Default: −1. */
  readonly consumerTimeoutMs?: number
  /** End the iteration at what was the end of each partition when it was assigned. Default: false. */
  readonly stopAtEnd?: boolean
  /** `read_committed` leaves out messages of transactions that were aborted, and waits for those that are open. Default: `read_uncommitted`, as in Java. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
  /** Go on behind damaged data, with a warning in the log, rather than stop at it. Default: false. */
  readonly skipCorrupt?: boolean
  /**
   * Use the memory of messages again: their keys, values and headers are valid only until the next message or batch
   * is asked for (in a handler: until it has finished), and hold other messages' bytes afterwards. Copy what you
   * keep: `Buffer.from(value)`. Deserializers that make something else of the bytes do. Large messages need far
   * less CPU. Not for `stream()`, nor for `run` by key. Default: false.
   */
  readonly reuseMemory?: boolean

  /** How much of a partition to ask for in one request. Larger messages come all the same. Default: 1 MiB. */
  readonly fetchMessageMaxBytes?: number
  /** How much there must be before a broker answers, up to `fetchWaitMaxMs`. Default: 1. */
  readonly fetchMinBytes?: number
  /** How long a broker waits for `fetchMinBytes`. Default: 500 (in pykafka 100). */
  readonly fetchWaitMaxMs?: number
  /** The first wait after a fetch that failed; doubled each time, up to 10 times as much. Default: the client's `retryBackoffMs`. */
  readonly fetchErrorBackoffMs?: number
  /** Requests in flight to each broker, each for some of its partitions. Default: 1. */
  readonly numConsumerFetchers?: number
  /**
   * How much memory is used for what is fetched ahead of the application, of all partitions together: on its way, as
   * it arrived, and decompressed. Only a single batch that decompresses to more exceeds it, alone. Default: 64 MiB.
   */
  readonly queuedMaxBytes?: number
  /**
   * The most that one batch may decompress to. A larger one counts as damaged: it ends its partition with a
   * CorruptBatchError, or is skipped with `skipCorrupt`. Default: 256 MiB.
   */
  readonly decompressedBatchMaxBytes?: number
  /**
   * How many messages of a partition are fetched ahead: once there are as many no more are asked for.
   * Default: no limit but `queuedMaxBytes` (in pykafka 2,000).
   */
  readonly queuedMaxMessages?: number
  /** Where this consumer is: brokers that know where they are name it the closest replica (KIP-392). */
  readonly clientRack?: string
  /** Takes no effect, and is known for the sake of pykafka: gaps between offsets are always right. */
  readonly compactedTopic?: boolean

  /** Makes values of bytes. Default: they are Buffers. */
  readonly deserializer?: Deserializer<Value>
  readonly keyDeserializer?: Deserializer<Key>
  /**
   * When a deserializer throws: `stop` throws a DeserializationError and does not read the partition on,
   * `skip` leaves the message out, `deliver` delivers it all the same: reading its `key` or `value` then throws the
   * error, and `withDeadLetters` sends it to the dead letters without calling the handler. A function gets the error
   * and the message as it was read, and returns one of these (not a promise). Default: `stop`.
   */
  readonly onDeserializationError?: DeserializationPolicy
}

/** The options, checked and with their defaults. */
export interface ConsumerSettings<Value, Key> {
  readonly consumerGroup: string | undefined
  readonly startAt: OffsetSpec | 'none'
  readonly resetTo: 'earliest' | 'latest' | 'none'
  readonly resetOffsetOnStart: boolean
  readonly resetOffsetOnFetch: boolean
  readonly autoCommitEnable: boolean
  /** The same, from the first `run` on. */
  readonly autoCommitInRun: boolean
  readonly autoCommitIntervalMs: number
  readonly consumerTimeoutMs: number | undefined
  readonly stopAtEnd: boolean
  readonly isReadCommitted: boolean
  readonly skipCorrupt: boolean
  readonly reuseMemory: boolean
  readonly fetchMessageMaxBytes: number
  readonly fetchMinBytes: number
  readonly fetchWaitMaxMs: number
  readonly fetchBackoff: BackoffOptions
  readonly numConsumerFetchers: number
  readonly queuedMaxBytes: number
  readonly decompressedBatchMaxBytes: number
  readonly queuedMaxMessages: number
  readonly clientRack: string
  readonly convert: Converter<Value, Key>
}

export const aDate: Check = (value) =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? undefined : 'must be a valid Date'

/** The same check, which names what replaces pykafka's numbers for the ends of the log. */
export function namingEnds(check: Check): Check {
  return (value) => {
    if (value === -2) return "must be 'earliest' for pykafka's OffsetType.EARLIEST"
    if (value === -1) return "must be 'latest' for pykafka's OffsetType.LATEST"
    return check(value)
  }
}

/** For checkOptions, next to those of the options that a kind of consumer has of its own. */
export const CONSUMER_CHECKS: Readonly<Record<keyof ConsumerOptions<unknown, unknown>, Check>> = {
  consumerGroup: aString,
  offsetsStorage: oneOf('kafka', 'zookeeper'),
  autoOffsetReset: namingEnds(either(oneOf('earliest', 'latest', 'none'), anInteger(0), aDate)),
  resetOffsetOnStart: aBoolean,
  resetOffsetOnFetch: aBoolean,
  autoCommitEnable: aBoolean,
  autoCommitIntervalMs: aDurationMs(1),
  offsetsCommitMaxRetries: anInteger(0),
  offsetsChannelBackoffMs: aDurationMs(0),
  consumerTimeoutMs: anInteger(-1, 0x7fffffff),
  stopAtEnd: aBoolean,
  isolationLevel: oneOf('read_uncommitted', 'read_committed'),
  skipCorrupt: aBoolean,
  reuseMemory: aBoolean,
  fetchMessageMaxBytes: anInteger(1, 0x3fffffff),
  fetchMinBytes: anInteger(0, 0x7fffffff),
  fetchWaitMaxMs: aDurationMs(0),
  fetchErrorBackoffMs: aDurationMs(0),
  numConsumerFetchers: anInteger(1, 100),
  queuedMaxBytes: anInteger(1),
  decompressedBatchMaxBytes: anInteger(1, 0x7fffffff),
  queuedMaxMessages: anInteger(1),
  clientRack: aString,
  compactedTopic: aBoolean,
  deserializer: aFunction,
  keyDeserializer: aFunction,
  onDeserializationError: either(oneOf('stop', 'skip', 'deliver'), aFunction),
}

/** Fills in the defaults of options that were checked. Throws InvalidArgumentError for what contradicts itself. */
export function consumerSettings<Value, Key>(
  cluster: Cluster,
  options: ConsumerOptions<Value, Key>,
): ConsumerSettings<Value, Key> {
  const { autoOffsetReset = 'earliest', consumerTimeoutMs = -1 } = options
  const startAt = autoOffsetReset instanceof Date ? autoOffsetReset.getTime() : autoOffsetReset
  if (options.autoCommitEnable === true && options.consumerGroup === undefined) {
    throw new InvalidArgumentError('autoCommitEnable needs a consumerGroup to commit for')
  }
  return {
    consumerGroup: options.consumerGroup,
    startAt,
    resetTo: typeof startAt === 'number' ? 'earliest' : startAt,
    resetOffsetOnStart: options.resetOffsetOnStart ?? false,
    resetOffsetOnFetch: options.resetOffsetOnFetch ?? false,
    autoCommitEnable: options.autoCommitEnable ?? false,
    autoCommitInRun: options.autoCommitEnable === undefined && options.consumerGroup !== undefined,
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? 60_000,
    consumerTimeoutMs: consumerTimeoutMs < 0 ? undefined : consumerTimeoutMs,
    stopAtEnd: options.stopAtEnd ?? false,
    isReadCommitted: options.isolationLevel === 'read_committed',
    skipCorrupt: options.skipCorrupt ?? false,
    reuseMemory: options.reuseMemory ?? false,
    fetchMessageMaxBytes: options.fetchMessageMaxBytes ?? 1024 * 1024,
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchWaitMaxMs: options.fetchWaitMaxMs ?? 500,
    fetchBackoff: backoffOf(cluster, options.fetchErrorBackoffMs),
    numConsumerFetchers: options.numConsumerFetchers ?? 1,
    queuedMaxBytes: options.queuedMaxBytes ?? 64 * 1024 * 1024,
    decompressedBatchMaxBytes: options.decompressedBatchMaxBytes ?? DEFAULT_INFLATE_LIMIT_BYTES,
    queuedMaxMessages: options.queuedMaxMessages ?? Infinity,
    clientRack: options.clientRack ?? '',
    convert: converterOf(options),
  }
}

/** Where a consumer of fixed partitions keeps its offsets; undefined without a group. */
export function offsetStoreOf(
  cluster: Cluster,
  options: ConsumerOptions<unknown, unknown>,
): OffsetStore | undefined {
  const { consumerGroup } = options
  return consumerGroup === undefined
    ? undefined
    : groupOffsetStore(cluster, { ...options, consumerGroup })
}

/**
 * Where a group keeps its offsets. `membership` is called for each commit and returns what a member of a group sends
 * with it.
 */
export function groupOffsetStore(
  cluster: Cluster,
  options: ConsumerOptions<unknown, unknown> & { readonly consumerGroup: string },
  membership?: () => Membership | undefined,
): OffsetStore {
  const storeOptions = {
    maxRetries: options.offsetsCommitMaxRetries ?? Infinity,
    backoff: backoffOf(cluster, options.offsetsChannelBackoffMs),
    ...(membership === undefined ? {} : { membership }),
  }
  return options.offsetsStorage === 'zookeeper'
    ? new ZooKeeperOffsets(cluster, options.consumerGroup, storeOptions)
    : new KafkaOffsets(cluster, options.consumerGroup, storeOptions)
}

function backoffOf(cluster: Cluster, initialMs: number | undefined): BackoffOptions {
  return initialMs === undefined ? cluster.options.backoff : { initialMs, maxMs: initialMs * 10 }
}
