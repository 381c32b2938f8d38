import { DEFAULT_INFLATE_LIMIT_BYTES } from '../../protocol/records/read-batches.ts'
import {
  warnOfIgnored,
  withDefaults,
  type OptionTable,
  type WithDefaults,
} from '../option-table.ts'
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
import { LONGEST_TIMER_MS } from '../async/timer.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BackoffOptions } from '../async/backoff.ts'
import type { OffsetSpec } from './list-offsets.ts'
import {
  converterOf,
  type Converter,
  type DeserializationPolicy,
  type Deserializer,
} from './consumed-message.ts'
import { KafkaOffsets, type MemberIdentity } from './offsets/kafka-offsets.ts'
import type { OffsetStore } from './offsets/offset-store.ts'
import { ZooKeeperOffsets } from './offsets/zookeeper-offsets.ts'

/**
 * The options that all consumers have. `CONSUMER_OPTIONS` has their checks and defaults. Names are pykafka's, where
 * it has one.
 */
export interface ConsumerOptions<Value = Buffer | null, Key = Buffer | null> {
  /** The group whose offsets are committed (Kafka's `group.id`). Default: none, then nothing can be committed. */
  readonly consumerGroup?: string
  /**
   * Where a partition starts without a committed offset, and where it continues when its position is not in the log:
   * `earliest`, `latest`, or `none` for a NoOffsetError. A Date, or milliseconds since 1970, starts at the first message
   * at or after that time; later on it means `earliest`. Default: `earliest`.
   */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none' | number | Date
  /** Starts where `autoOffsetReset` says even if the group has committed offsets. Default: false. */
  readonly resetOffsetOnStart?: boolean
  /**
   * Whether `fetchOffsets` also moves the positions to the offsets that it finds. Refused without a `consumerGroup`.
   * Default: false (true in pykafka).
   */
  readonly resetOffsetOnFetch?: boolean
  /**
   * Commits processed messages: every `autoCommitIntervalMs`, before partitions are revoked, and when the consumer is
   * closed. Needs a `consumerGroup`. Default: false; true from the first `run` on in a consumer with a
   * `consumerGroup`.
   */
  readonly autoCommitEnable?: boolean
  /**
   * The time between automatic commits. Refused without a `consumerGroup`, and with `autoCommitEnable: false`.
   * Default: 60,000.
   */
  readonly autoCommitIntervalMs?: number
  /**
   * How often a failed commit is retried. Refused without a `consumerGroup`. Default: for as long as the call may
   * take.
   */
  readonly offsetsCommitMaxRetries?: number
  /**
   * The wait before the first retry of a commit. It doubles with each retry, up to 10 times as much. Refused without a
   * `consumerGroup`, and with `offsetsCommitMaxRetries: 0`. Default: the client's `retryBackoffMs`.
   */
  readonly offsetsChannelBackoffMs?: number
  /**
   * Where the group's offsets are stored: `kafka`, or `zookeeper` as before Kafka 0.8.2 (through the brokers, which support
   * it up to 3.9). Refused without a `consumerGroup`. Default: `kafka`.
   */
  readonly offsetsStorage?: 'kafka' | 'zookeeper'
  /** How long `consume()` and iteration wait for a message before they end; −1: without limit. Default: −1. */
  readonly consumerTimeoutMs?: number
  /** Ends iteration at what was the end of each partition when it was assigned. Default: false. */
  readonly stopAtEnd?: boolean
  /**
   * `read_committed` leaves out messages of aborted transactions, and waits for open transactions to end (Kafka's
   * `isolation.level`). Default: `read_uncommitted`.
   */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
  /** Skips damaged data, with a warning in the log, instead of stopping at it. Default: false. */
  readonly skipCorrupt?: boolean
  /**
   * Reuses the memory of messages: their keys, values and headers are valid only until the next message or batch is
   * requested (in a handler: until it has finished), and contain other messages' bytes afterwards. Copy what you
   * keep: `Buffer.from(value)`. Large messages need far less CPU. Refused by `stream()`, and by `run` by key.
   * Default: false.
   */
  readonly reuseMemory?: boolean

  /**
   * How many bytes of a partition to ask for in one request (Kafka's `max.partition.fetch.bytes`). A larger message is
   * still fetched. Default: 1 MiB.
   */
  readonly fetchMessageMaxBytes?: number
  /** How many bytes a broker waits for before it responds, up to `fetchWaitMaxMs`. Default: 1. */
  readonly fetchMinBytes?: number
  /** How long a broker waits for `fetchMinBytes`. Refused with `fetchMinBytes: 0`. Default: 500 (100 in pykafka). */
  readonly fetchWaitMaxMs?: number
  /**
   * The wait after the first failed fetch. It doubles with each failure, up to 10 times as much. Default: the
   * client's `retryBackoffMs`.
   */
  readonly fetchErrorBackoffMs?: number
  /**
   * The number of fetch requests in flight to each broker, each for some of its partitions. Each has its own
   * connection. Default: 1 (2 while responses of 1 MiB or more have messages of 4 KiB or more).
   */
  readonly numConsumerFetchers?: number
  /**
   * The maximum memory for data that is fetched ahead of the application, over all partitions: in flight, as it
   * arrived, and decompressed. Only a single batch that decompresses to more exceeds it, alone. Default: 64 MiB.
   */
  readonly queuedMaxBytes?: number
  /**
   * The maximum number of messages of a partition that are fetched ahead: at this number the consumer requests no
   * more. Default: no limit but `queuedMaxBytes` (2,000 in pykafka).
   */
  readonly queuedMaxMessages?: number
  /**
   * The maximum size of one decompressed batch. A larger one counts as damaged: it ends its partition with a
   * CorruptBatchError, or is skipped with `skipCorrupt`. Default: 256 MiB.
   */
  readonly decompressedBatchMaxBytes?: number
  /**
   * The rack or zone that this consumer runs in (Kafka's `client.rack`): it fetches from the closest replica (KIP-392), and
   * assignors prefer closer partitions (KIP-881). Default: none.
   */
  readonly clientRack?: string

  /** Returns the value of a message from its bytes, which are null for a tombstone. Default: values are Buffers. */
  readonly deserializer?: Deserializer<Value>
  /** Returns the key of a message from its bytes, which are null if there is no key. Default: keys are Buffers. */
  readonly keyDeserializer?: Deserializer<Key>
  /**
   * What happens when a deserializer throws. `stop` throws a DeserializationError, and the position stays; `skip` leaves the
   * message out; `deliver` delivers it, and reading its `key` or `value` throws the error. A function gets the error and
   * the message with its original bytes, and returns one of the three, not a promise. Refused without a deserializer.
   * Default: `stop`.
   */
  readonly onDeserializationError?: DeserializationPolicy
  /**
   * pykafka's option for compacted topics. Has no effect, with a warning: gaps between offsets are always accepted.
   */
  readonly compactedTopic?: boolean
}

export const aDate: Check<Date> = (value) =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? undefined : 'must be a valid Date'

/** The same check, with an error that names the replacement of pykafka's numbers for the ends of the log. */
export function namingEnds<Value>(check: Check<Value>): Check<Value> {
  return (value) => {
    if (value === -2) return "must be 'earliest' for pykafka's OffsetType.EARLIEST"
    if (value === -1) return "must be 'latest' for pykafka's OffsetType.LATEST"
    return check(value)
  }
}

const needsGroup = ({ consumerGroup }: Pick<ConsumerOptions, 'consumerGroup'>) =>
  consumerGroup === undefined ? 'without a consumerGroup' : undefined

/** The checks and defaults of `ConsumerOptions`, in the order of the documents. */
export const CONSUMER_OPTIONS = {
  consumerGroup: { check: aString, defaultText: 'none, then nothing can be committed' },
  autoOffsetReset: {
    check: namingEnds(either(oneOf('earliest', 'latest', 'none'), anInteger(0), aDate)),
    default: 'earliest',
  },
  // Without a group nothing is committed, but programs for pykafka set this option nevertheless.
  resetOffsetOnStart: { check: aBoolean, default: false },
  resetOffsetOnFetch: { check: aBoolean, default: false, noEffect: needsGroup },
  autoCommitEnable: {
    check: aBoolean,
    defaultText: 'false; true from the first `run` on in a consumer with a `consumerGroup`',
    noEffect: (options) => (options.autoCommitEnable === true ? needsGroup(options) : undefined),
  },
  autoCommitIntervalMs: {
    check: aDurationMs(1),
    default: 60_000,
    noEffect: (options) =>
      options.autoCommitEnable === false ? 'with autoCommitEnable: false' : needsGroup(options),
  },
  offsetsCommitMaxRetries: {
    check: anInteger(0),
    defaultText: 'for as long as the call may take',
    noEffect: needsGroup,
  },
  offsetsChannelBackoffMs: {
    check: aDurationMs(0),
    defaultText: "the client's `retryBackoffMs`",
    noEffect: (options) =>
      options.offsetsCommitMaxRetries === 0
        ? 'with offsetsCommitMaxRetries: 0'
        : needsGroup(options),
  },
  offsetsStorage: { check: oneOf('kafka', 'zookeeper'), default: 'kafka', noEffect: needsGroup },
  consumerTimeoutMs: { check: anInteger(-1, LONGEST_TIMER_MS), default: -1 },
  stopAtEnd: { check: aBoolean, default: false },
  isolationLevel: {
    check: oneOf('read_uncommitted', 'read_committed'),
    default: 'read_uncommitted',
  },
  skipCorrupt: { check: aBoolean, default: false },
  reuseMemory: { check: aBoolean, default: false },
  fetchMessageMaxBytes: { check: anInteger(1, 0x3fffffff), default: 1024 * 1024 },
  fetchMinBytes: { check: anInteger(0, 0x7fffffff), default: 1 },
  fetchWaitMaxMs: {
    check: aDurationMs(0),
    default: 500,
    noEffect: ({ fetchMinBytes }) =>
      fetchMinBytes === 0 ? 'with fetchMinBytes: 0: brokers respond at once' : undefined,
  },
  fetchErrorBackoffMs: { check: aDurationMs(0), defaultText: "the client's `retryBackoffMs`" },
  numConsumerFetchers: {
    check: anInteger(1, 100),
    defaultText: '1',
  },
  queuedMaxBytes: { check: anInteger(1), default: 64 * 1024 * 1024 },
  queuedMaxMessages: { check: anInteger(1), defaultText: 'no limit but `queuedMaxBytes`' },
  decompressedBatchMaxBytes: {
    check: anInteger(1, 0x7fffffff),
    default: DEFAULT_INFLATE_LIMIT_BYTES,
  },
  clientRack: { check: aString, defaultText: 'none' },
  deserializer: { check: aFunction, defaultText: 'values are Buffers' },
  keyDeserializer: { check: aFunction, defaultText: 'keys are Buffers' },
  onDeserializationError: {
    check: either(oneOf('stop', 'skip', 'deliver'), aFunction),
    default: 'stop',
    noEffect: ({ deserializer, keyDeserializer }) =>
      (deserializer ?? keyDeserializer) === undefined ? 'without a deserializer' : undefined,
  },
  compactedTopic: {
    check: aBoolean,
    ignored: 'omit it: gaps between offsets are always accepted',
  },
} as const satisfies OptionTable<ConsumerOptions<unknown, unknown>>

type Defaulted = WithDefaults<ConsumerOptions<unknown, unknown>, typeof CONSUMER_OPTIONS>

/** The settings that the parts of a consumer read: the options with their defaults. */
export interface ConsumerSettings<Value, Key> extends Pick<
  Defaulted,
  | 'consumerGroup'
  | 'resetOffsetOnStart'
  | 'resetOffsetOnFetch'
  | 'autoCommitIntervalMs'
  | 'stopAtEnd'
  | 'skipCorrupt'
  | 'reuseMemory'
  | 'fetchMessageMaxBytes'
  | 'fetchMinBytes'
  | 'fetchWaitMaxMs'
  | 'numConsumerFetchers'
  | 'queuedMaxBytes'
  | 'decompressedBatchMaxBytes'
> {
  readonly startAt: OffsetSpec | 'none'
  readonly resetTo: 'earliest' | 'latest' | 'none'
  readonly autoCommitEnable: boolean
  /** Like `autoCommitEnable`, but from the first `run` on. */
  readonly autoCommitInRun: boolean
  readonly consumerTimeoutMs: number | undefined
  readonly isReadCommitted: boolean
  readonly fetchBackoff: BackoffOptions
  readonly queuedMaxMessages: number
  readonly clientRack: string
  readonly convert: Converter<Value, Key>
}

/** Fills in the defaults of checked options, and warns about options that never have an effect. */
export function consumerSettings<Value, Key>(
  cluster: Cluster,
  options: ConsumerOptions<Value, Key>,
): ConsumerSettings<Value, Key> {
  warnOfIgnored('a consumer', options, CONSUMER_OPTIONS, (text) =>
    cluster.options.logger.warn(text),
  )
  const {
    autoOffsetReset,
    autoCommitEnable,
    consumerTimeoutMs,
    isolationLevel,
    fetchErrorBackoffMs,
    queuedMaxMessages = Infinity,
    clientRack = '',
    ...read
  } = withDefaults(options, CONSUMER_OPTIONS)
  const startAt = autoOffsetReset instanceof Date ? autoOffsetReset.getTime() : autoOffsetReset
  return {
    ...read,
    startAt,
    resetTo: typeof startAt === 'number' ? 'earliest' : startAt,
    autoCommitEnable: autoCommitEnable ?? false,
    autoCommitInRun: autoCommitEnable === undefined && read.consumerGroup !== undefined,
    consumerTimeoutMs: consumerTimeoutMs < 0 ? undefined : consumerTimeoutMs,
    isReadCommitted: isolationLevel === 'read_committed',
    fetchBackoff: backoffOf(cluster, fetchErrorBackoffMs),
    queuedMaxMessages,
    clientRack,
    convert: converterOf({
      deserializer: options.deserializer,
      keyDeserializer: options.keyDeserializer,
      onDeserializationError: options.onDeserializationError,
    }),
  }
}

/** Returns where a consumer of fixed partitions stores its offsets; undefined without a group. */
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
 * Returns where a group stores its offsets. `membership` is called for each commit and returns the identity that a
 * member sends with it. With `fetchesAsMember` fetches of offsets send it, too.
 */
export function groupOffsetStore(
  cluster: Cluster,
  options: ConsumerOptions<unknown, unknown> & { readonly consumerGroup: string },
  membership?: () => MemberIdentity | undefined,
  fetching: { readonly fetchesAsMember?: boolean } = {},
): OffsetStore {
  const { storage, ...retries } = commitSettings(cluster, options)
  const storeOptions = {
    ...retries,
    ...fetching,
    ...(membership === undefined ? {} : { membership }),
  }
  return storage === 'zookeeper'
    ? new ZooKeeperOffsets(cluster, options.consumerGroup, storeOptions)
    : new KafkaOffsets(cluster, options.consumerGroup, storeOptions)
}

/** Returns where offsets are committed, and how a failed commit is retried. */
export function commitSettings(cluster: Cluster, options: ConsumerOptions<unknown, unknown>) {
  const { offsetsStorage, offsetsCommitMaxRetries, offsetsChannelBackoffMs } = withDefaults(
    options,
    CONSUMER_OPTIONS,
  )
  return {
    storage: offsetsStorage,
    maxRetries: offsetsCommitMaxRetries ?? Infinity,
    backoff: backoffOf(cluster, offsetsChannelBackoffMs),
  }
}

function backoffOf(cluster: Cluster, initialMs: number | undefined): BackoffOptions {
  return initialMs === undefined ? cluster.options.backoff : { initialMs, maxMs: initialMs * 10 }
}
