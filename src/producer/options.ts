import { COMPRESSIONS, type Compression } from '../../protocol/compression/index.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import { readOptions, warnOfIgnored, type OptionTable, type WithDefaults } from '../option-table.ts'
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
import type { Partitioner } from './intake/partitioners.ts'
import { STICKY_BYTES } from './intake/sticky-partition.ts'
import type { DeliveryReport } from './results/reports.ts'
import type { Data } from './intake/serialize.ts'

/** Returns the value and key to send for the arguments of `produce`. pykafka's `serializer(value, key)`. */
export type Serializer<Value, Key> = (
  value: Value,
  key: Key | null,
) => readonly [value: Data, key: Data]

/** The options of a producer. `PRODUCER_OPTIONS` has their checks and defaults. */
export interface ProducerOptions<Value = Data, Key = Data> {
  /**
   * How many replicas must have a message before it counts as delivered (Kafka's `acks`): −1 all in-sync replicas, 1 the
   * leader, 0 none. Default: −1.
   */
  readonly requiredAcks?: -1 | 0 | 1
  /**
   * Numbers messages, so that a retry never writes a message twice or in another order (KIP-98, Kafka's
   * `enable.idempotence`). Needs `requiredAcks: -1`, `maxInFlight` of at most 5, and Kafka 0.11. With `true` it is an
   * error if the broker does not support it. Default: where it is possible.
   */
  readonly idempotent?: boolean
  /** Codec of the batches: `none`, `gzip`, `snappy`, `lz4`, or `zstd` (Kafka 2.1 or newer). Default: `none`. */
  readonly compression?: Compression
  /**
   * Compression level: 1 to 9 for gzip, 1 to 22 for zstd. Refused with other codecs, which have no levels.
   * Default: 6 for gzip, 3 for zstd.
   */
  readonly compressionLevel?: number
  /**
   * How long a batch waits for more messages (Kafka's `linger.ms`); 0 sends at the end of the turn of the event loop.
   * Refused with `sync`. Default: 0.
   */
  readonly lingerMs?: number
  /**
   * Maximum size of a batch before compression (Kafka's `batch.size`). A larger message is sent in a batch of its own.
   * At most `maxRequestSize`. Default: 1,000,012, or a smaller `maxRequestSize`.
   */
  readonly batchBytes?: number
  /** Maximum size in bytes of a request, and with that of a message. Default: 1,000,012. */
  readonly maxRequestSize?: number
  /**
   * Maximum number of unacknowledged requests to a broker (Kafka's `max.in.flight.requests.per.connection`). More than 5
   * turns idempotence off, with a warning; with `idempotent: true` it is refused. Default: 5.
   */
  readonly maxInFlight?: number
  /** The time from `produce` until a message is acknowledged or fails, with all retries. Default: 120,000. */
  readonly deliveryTimeoutMs?: number
  /** How often a batch is retried. Default: as often as `deliveryTimeoutMs` allows. */
  readonly maxRetries?: number
  /**
   * The wait before the first retry. It doubles with each retry, up to the client's `retryBackoffMaxMs`. Refused with
   * `maxRetries: 0`. Default: the client's `retryBackoffMs`.
   */
  readonly retryBackoffMs?: number
  /**
   * How long a broker may wait for the replicas' acknowledgements (Kafka's `request.timeout.ms`). Refused with
   * `requiredAcks: 0`. Default: 10,000.
   */
  readonly ackTimeoutMs?: number
  /** The number of unsettled messages at which the queue is full. Default: 100,000. */
  readonly maxQueuedMessages?: number
  /** The bytes of unsettled messages at which the queue is full. Default: 32 MiB. */
  readonly maxQueuedBytes?: number
  /** From this number of queued messages on, batches no longer linger. Refused without `lingerMs`. Default: 70,000. */
  readonly minQueuedMessages?: number
  /**
   * What `produce` does when the queue is full. `true` accepts the message, up to twice the limits, and `ready()` waits
   * for room; `false` rejects with a ProducerQueueFullError. Default: true.
   */
  readonly blockOnQueueFull?: boolean
  /**
   * Chooses the partition of a message: `(key, partitionCount, topic) => partition`. Default: murmur2 of the key, as in
   * Java; without a key sticky (KIP-794).
   */
  readonly partitioner?: Partitioner
  /**
   * The rack or zone that this producer runs in (Kafka's `client.rack`): messages without a key go to partitions whose
   * leader is in this rack (KIP-1123), or to all partitions while no leader is in it. Refused with a `partitioner`.
   * Default: none.
   */
  readonly clientRack?: string
  /**
   * Whether `clientRack` chooses partitions (Kafka's `partitioner.rack.aware`); `false` is for options that several
   * producers share. Refused without a `clientRack`. Default: true.
   */
  readonly partitionerRackAware?: boolean
  /** Returns what to send for values and keys of other types: `(value, key) => [value, key]`. Default: none. */
  readonly serializer?: Serializer<Value, Key>
  /**
   * `true` makes `producer.deliveryReports()` yield a report of each message. A function is called with each report; the
   * producer does not wait for it, and logs what it throws or rejects with. Default: false.
   */
  readonly deliveryReports?: boolean | ((report: DeliveryReport) => void | Promise<void>)
  /** Sends each message without lingering, as `topic.getSyncProducer()` does. Default: false. */
  readonly sync?: boolean
  /**
   * How long `close()` waits for messages in flight, and a `sync` producer for each message; −1: for as long as
   * `deliveryTimeoutMs` allows. Default: −1.
   */
  readonly pendingTimeoutMs?: number
  /** Starts the producer when it is opened; with `false` `producer.start()` does. Default: true. */
  readonly autoStart?: boolean
  /** pykafka's wait of a thread without messages. Has no effect, with a warning, as nothing polls here. */
  readonly queueEmptyTimeoutMs?: number
}

/** pykafka's default for a request: slightly less than the limit that brokers have by default. */
const DEFAULT_REQUEST_BYTES = 1_000_012
/** Brokers recognize duplicates among the last five batches of a producer. */
const MAX_IN_FLIGHT_IDEMPOTENT = 5
const MAX_GZIP_LEVEL = 9
const MAX_ZSTD_LEVEL = 22

/** For pykafka's CompressionType, numbers from 0 to 3, the error contains the name that replaces the number. */
const aCompression: Check<Compression> = (value) => {
  const name = typeof value === 'number' && value <= 3 ? COMPRESSIONS[value] : undefined
  if (name === undefined) return oneOf(...COMPRESSIONS)(value)
  return `must be '${name}' for pykafka's CompressionType.${name.toUpperCase()}`
}

const orEndless = either(anInteger(0), oneOf(-1))

/** The checks and defaults of `ProducerOptions`, in the order of the documents. */
export const PRODUCER_OPTIONS = {
  requiredAcks: { check: oneOf(-1, 0, 1), default: -1 },
  idempotent: { check: aBoolean, defaultText: 'where it is possible' },
  compression: { check: aCompression, default: 'none' },
  compressionLevel: {
    check: anInteger(1, MAX_ZSTD_LEVEL),
    defaultText: '6 for gzip, 3 for zstd',
    noEffect: ({ compression = 'none' }) =>
      compression === 'gzip' || compression === 'zstd'
        ? undefined
        : `with compression '${compression}': only gzip and zstd have levels`,
  },
  lingerMs: {
    check: aDurationMs(0),
    default: 0,
    noEffect: ({ sync }) =>
      sync === true ? 'with sync, which sends each message immediately' : undefined,
  },
  batchBytes: {
    check: anInteger(1, 0x3fffffff),
    defaultText: '1,000,012, or a smaller `maxRequestSize`',
    noEffect: ({ batchBytes = 0, maxRequestSize = DEFAULT_REQUEST_BYTES }) =>
      batchBytes > maxRequestSize
        ? `above maxRequestSize (${maxRequestSize}): increase that option too`
        : undefined,
  },
  maxRequestSize: { check: anInteger(1, 0x3fffffff), default: DEFAULT_REQUEST_BYTES },
  maxInFlight: { check: anInteger(1), default: MAX_IN_FLIGHT_IDEMPOTENT },
  deliveryTimeoutMs: { check: aDurationMs(1), default: 120_000 },
  maxRetries: { check: anInteger(0), defaultText: 'as often as `deliveryTimeoutMs` allows' },
  retryBackoffMs: {
    check: aDurationMs(0),
    defaultText: "the client's `retryBackoffMs`",
    noEffect: ({ maxRetries }) => (maxRetries === 0 ? 'with maxRetries: 0' : undefined),
  },
  ackTimeoutMs: {
    check: aDurationMs(1),
    default: 10_000,
    noEffect: ({ requiredAcks }) =>
      requiredAcks === 0 ? 'with requiredAcks: 0: brokers acknowledge nothing' : undefined,
  },
  maxQueuedMessages: { check: anInteger(1), default: 100_000 },
  maxQueuedBytes: { check: anInteger(1), default: 32 * 1024 * 1024 },
  minQueuedMessages: {
    check: anInteger(1),
    default: 70_000,
    noEffect: ({ lingerMs = 0, sync }) =>
      lingerMs === 0 || sync === true ? 'without lingerMs: batches do not linger' : undefined,
  },
  blockOnQueueFull: { check: aBoolean, default: true },
  partitioner: {
    check: aFunction,
    defaultText: 'murmur2 of the key, as in Java; without a key sticky (KIP-794)',
  },
  clientRack: {
    check: aString,
    defaultText: 'none',
    noEffect: ({ partitioner }) =>
      partitioner === undefined ? undefined : 'with a partitioner, which chooses itself',
  },
  partitionerRackAware: {
    check: aBoolean,
    default: true,
    noEffect: ({ clientRack }) => (clientRack === undefined ? 'without a clientRack' : undefined),
  },
  serializer: { check: aFunction, defaultText: 'none' },
  deliveryReports: { check: either(aBoolean, aFunction), default: false },
  sync: { check: aBoolean, default: false },
  pendingTimeoutMs: { check: orEndless, default: -1 },
  autoStart: { check: aBoolean, default: true },
  queueEmptyTimeoutMs: { check: orEndless, ignored: 'omit it: nothing polls here' },
} as const satisfies OptionTable<ProducerOptions<never, never>>

type Defaulted = WithDefaults<ProducerOptions<never, never>, typeof PRODUCER_OPTIONS>

/** The settings that the parts of a producer read: the options with their defaults. */
export interface ProducerSettings extends Omit<
  Defaulted,
  | 'idempotent'
  | 'maxRetries'
  | 'batchBytes'
  | 'serializer'
  | 'sync'
  | 'autoStart'
  | 'queueEmptyTimeoutMs'
  | 'clientRack'
  | 'partitionerRackAware'
> {
  /** With `true` nothing is sent to a broker that does not support idempotence. */
  readonly idempotent: 'where possible' | boolean
  readonly maxRetries: number
  readonly batchBytes: number
  /** The rack whose leaders messages without a key prefer; undefined for none. */
  readonly preferredRack: string | undefined
  /** It gets only keys and values of the producer's types. */
  readonly serializer: Serializer<never, never> | undefined
  /**
   * The bytes that one turn of the event loop accepts before `ready` waits for the next turn. Results that the
   * application uses count, too.
   */
  readonly turnBytes: number
  /** The bytes of messages without a key that a partition gets before another is chosen. */
  readonly stickyBytes: number
}

/** 1 to 2 ms of work. */
const TURN_BYTES = 1024 * 1024

/**
 * Throws InvalidArgumentError for an unknown option, a value that is not valid, or an option without effect beside
 * the others.
 */
export function producerSettings<Value, Key>(
  options: ProducerOptions<Value, Key>,
): ProducerSettings {
  const read = readOptions('getProducer', options, PRODUCER_OPTIONS)
  const { requiredAcks, maxInFlight, compression, compressionLevel = 0, maxRequestSize } = read
  if (compression === 'gzip' && compressionLevel > MAX_GZIP_LEVEL) {
    throw new InvalidArgumentError(
      `getProducer: option 'compressionLevel' must be a whole number from 1 to ${MAX_GZIP_LEVEL} with gzip, not ${compressionLevel}`,
    )
  }
  if (options.idempotent === true && requiredAcks !== -1) {
    throw new InvalidArgumentError(
      `idempotent requires requiredAcks -1, not ${requiredAcks}: a leader that fails could lose messages that only it has stored`,
    )
  }
  if (options.idempotent === true && maxInFlight > MAX_IN_FLIGHT_IDEMPOTENT) {
    throw new InvalidArgumentError(
      `idempotent allows a maxInFlight of ${MAX_IN_FLIGHT_IDEMPOTENT}, not ${maxInFlight}: brokers detect duplicates among this many batches`,
    )
  }
  const isPossible = requiredAcks === -1 && maxInFlight <= MAX_IN_FLIGHT_IDEMPOTENT
  const { sync, pendingTimeoutMs, deliveryTimeoutMs } = read
  const batchBytes = options.batchBytes ?? Math.min(DEFAULT_REQUEST_BYTES, maxRequestSize)
  return {
    ...read,
    idempotent: options.idempotent ?? (isPossible ? 'where possible' : false),
    maxRetries: options.maxRetries ?? Infinity,
    deliveryTimeoutMs:
      sync && pendingTimeoutMs >= 0
        ? Math.min(deliveryTimeoutMs, pendingTimeoutMs)
        : deliveryTimeoutMs,
    batchBytes,
    preferredRack: read.partitionerRackAware ? options.clientRack : undefined,
    serializer: options.serializer,
    turnBytes: TURN_BYTES,
    // Batches that linger wait until they are full, which needs more bytes for a partition.
    stickyBytes: read.lingerMs > 0 ? batchBytes : Math.min(STICKY_BYTES, batchBytes),
  }
}

/** Logs a warning for each option that has another effect than its name suggests, or none. */
export function warnOfOptions(options: ProducerOptions<never, never>, logger: Logger): void {
  warnOfIgnored('getProducer', options, PRODUCER_OPTIONS, (text) => logger.warn(text))
  const { idempotent, requiredAcks = -1, maxInFlight = 0 } = options
  if (idempotent !== undefined || requiredAcks !== -1) return
  if (maxInFlight <= MAX_IN_FLIGHT_IDEMPOTENT) return
  logger.warn(
    `maxInFlight ${maxInFlight} disables idempotence: brokers detect duplicates among ${MAX_IN_FLIGHT_IDEMPOTENT} batches. Set idempotent: false to disable it without this warning`,
  )
}
