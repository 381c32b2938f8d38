import type { Compression } from '../../protocol/compression/index.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'
import {
  aBoolean,
  aDurationMs,
  aFunction,
  anInteger,
  type Check,
  checkOptions,
  either,
  oneOf,
} from '../options.ts'
import type { Partitioner } from './intake/partitioners.ts'
import type { DeliveryReport } from './results/reports.ts'
import type { Data } from './intake/serialize.ts'

/** Makes what is sent of what `produce` is given: pykafka's `serializer(value, key)`. */
export type Serializer<Value, Key> = (
  value: Value,
  key: Key | null,
) => readonly [value: Data, key: Data]

export interface ProducerOptions<Value = Data, Key = Data> {
  /**
   * Which partition a message goes to: a function of the key and the number of partitions. Default: keys by
   * murmur2 as in Java, null keys stay with a partition for some time (KIP-794).
   */
  readonly partitioner?: Partitioner
  /** Default: `none`. zstd needs Kafka 2.1. */
  readonly compression?: Compression
  /** gzip: 1 to 9, zstd: 1 to 22. Default: 6 and 3. Other codecs have no levels: InvalidArgumentError. */
  readonly compressionLevel?: number
  /** Who must have a message before it counts: -1 all in-sync replicas, 1 the leader, 0 nobody. Default: -1. */
  readonly requiredAcks?: -1 | 0 | 1
  /** How long the brokers may take to gather the acks. Default: 10,000. */
  readonly ackTimeoutMs?: number
  /**
   * Numbers messages so that a retry never puts one into the log twice, nor in another order (KIP-98). Needs
   * requiredAcks -1 and Kafka 0.11. Default: where these are there; `true` makes it an error where not.
   */
  readonly idempotent?: boolean
  /** Requests to a broker that are not answered yet, at most; with idempotence 5 at most. Default: 5. */
  readonly maxInFlight?: number
  /** How often a batch is tried again. Default: as often as `deliveryTimeoutMs` leaves time for. */
  readonly maxRetries?: number
  /** The wait before the first retry; it doubles up to the client's `retryBackoffMaxMs`. Default: the client's. */
  readonly retryBackoffMs?: number
  /** By when a message is acknowledged or its promise rejected, all retries included. Default: 120,000. */
  readonly deliveryTimeoutMs?: number
  /** How long a batch waits for company. 0 sends at the end of the tick. Default: 0. */
  readonly lingerMs?: number
  /** The most bytes of a batch before compression; a larger message goes alone. Default: 1,000,012. */
  readonly batchBytes?: number
  /** The most bytes of a request, and with that of a message. Default: 1,000,012. */
  readonly maxRequestSize?: number
  /** Number of queued messages from which batches no longer linger. Default: 70,000. */
  readonly minQueuedMessages?: number
  /** So many messages that are not settled are a full queue. Default: 100,000. */
  readonly maxQueuedMessages?: number
  /** The same in bytes. Default: 32 MiB. */
  readonly maxQueuedBytes?: number
  /**
   * What becomes of a message when the queue is full. true: it is taken, up to twice the limits, and `ready()`
   * waits for room. false: it fails with ProducerQueueFullError. Default: true.
   */
  readonly blockOnQueueFull?: boolean
  /** Nothing waits for others: no lingering, and `pendingTimeoutMs` for each message. Default: false. */
  readonly sync?: boolean
  /**
   * true: `producer.deliveryReports()` tells of every message. A function is called with each; one that
   * fails, or whose promise rejects, is logged and not waited for. Default: false.
   */
  readonly deliveryReports?: boolean | ((report: DeliveryReport) => void | Promise<void>)
  /**
   * How long `close()` waits for messages that are on their way, and a sync producer for each of its own; -1
   * for as long as `deliveryTimeoutMs` gives them. Default: -1.
   */
  readonly pendingTimeoutMs?: number
  /** false: the producer does nothing before `start()`. Default: true. */
  readonly autoStart?: boolean
  /** Makes bytes or text of values and keys of other types. Default: they are sent as they are. */
  readonly serializer?: Serializer<Value, Key>
  /**
   * Taken for pykafka's sake and without effect: how long its threads sleep when there is nothing to send.
   * Nothing polls here.
   */
  readonly queueEmptyTimeoutMs?: number
}

/** All options, with their defaults. */
export interface ProducerSettings {
  readonly partitioner: Partitioner | undefined
  readonly compression: Compression
  readonly compressionLevel: number | undefined
  readonly requiredAcks: -1 | 0 | 1
  readonly ackTimeoutMs: number
  readonly idempotent: 'where possible' | boolean
  readonly maxInFlight: number
  readonly maxRetries: number
  readonly retryBackoffMs: number | undefined
  readonly deliveryTimeoutMs: number
  readonly lingerMs: number
  readonly batchBytes: number
  readonly maxRequestSize: number
  readonly minQueuedMessages: number
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  readonly blockOnQueueFull: boolean
  readonly deliveryReports: boolean | ((report: DeliveryReport) => void | Promise<void>)
  readonly pendingTimeoutMs: number
  readonly serializer: Serializer<never, never> | undefined
}

/** What pykafka's default for a request is: a little less than brokers take by default. */
const USUAL_REQUEST_BYTES = 1_000_012
/** Brokers find repeats among the last five batches of a producer. */
const MAX_IN_FLIGHT_IDEMPOTENT = 5

/** The codecs that `compressionLevel` applies to. */
const HAS_LEVELS: readonly Compression[] = ['gzip', 'zstd']

const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** For pykafka's CompressionType, numbers from 0 to 3, the error has the name that replaces it. */
const aCompression: Check = (value) => {
  const name = typeof value === 'number' && value <= 3 ? CODECS[value] : undefined
  if (name === undefined) return oneOf(...CODECS)(value)
  return `must be '${name}' for pykafka's CompressionType.${name.toUpperCase()}`
}

const orEndless: Check = either(anInteger(0), oneOf(-1))

/** Throws InvalidArgumentError for an option that isn't one, can't be right, or has no effect with the others. */
export function producerSettings<Value, Key>(
  options: ProducerOptions<Value, Key>,
): ProducerSettings {
  checkOptions<ProducerOptions<Value, Key>>('getProducer', options, {
    partitioner: aFunction,
    compression: aCompression,
    compressionLevel: anInteger(1, compressionOf(options) === 'gzip' ? 9 : 22),
    requiredAcks: oneOf(-1, 0, 1),
    ackTimeoutMs: aDurationMs(1),
    idempotent: aBoolean,
    maxInFlight: anInteger(1),
    maxRetries: anInteger(0),
    retryBackoffMs: aDurationMs(0),
    deliveryTimeoutMs: aDurationMs(1),
    lingerMs: aDurationMs(0),
    batchBytes: anInteger(1, 0x3fffffff),
    maxRequestSize: anInteger(1, 0x3fffffff),
    minQueuedMessages: anInteger(1),
    maxQueuedMessages: anInteger(1),
    maxQueuedBytes: anInteger(1),
    blockOnQueueFull: aBoolean,
    sync: aBoolean,
    deliveryReports: either(aBoolean, aFunction),
    pendingTimeoutMs: orEndless,
    autoStart: aBoolean,
    serializer: aFunction,
    queueEmptyTimeoutMs: orEndless,
  })
  const { requiredAcks = -1, maxInFlight = MAX_IN_FLIGHT_IDEMPOTENT, sync = false } = options
  if (options.idempotent === true && requiredAcks !== -1) {
    throw new InvalidArgumentError(
      `idempotent needs requiredAcks -1, not ${requiredAcks}: a leader that fails could lose what it has acknowledged alone`,
    )
  }
  if (options.idempotent === true && maxInFlight > MAX_IN_FLIGHT_IDEMPOTENT) {
    throw new InvalidArgumentError(
      `idempotent allows a maxInFlight of ${MAX_IN_FLIGHT_IDEMPOTENT}, not ${maxInFlight}: brokers find repeats among so many`,
    )
  }
  const { compression = 'none', compressionLevel } = options
  if (compressionLevel !== undefined && !HAS_LEVELS.includes(compression)) {
    throw new InvalidArgumentError(
      `compressionLevel has no effect with compression '${compression}': only gzip and zstd have levels`,
    )
  }
  const isPossible = requiredAcks === -1 && maxInFlight <= MAX_IN_FLIGHT_IDEMPOTENT
  const pendingTimeoutMs = options.pendingTimeoutMs ?? -1
  const deliveryTimeoutMs = options.deliveryTimeoutMs ?? 120_000
  const maxRequestSize = options.maxRequestSize ?? USUAL_REQUEST_BYTES
  const isHasty = sync && pendingTimeoutMs >= 0
  return {
    partitioner: options.partitioner,
    compression,
    compressionLevel,
    requiredAcks,
    ackTimeoutMs: options.ackTimeoutMs ?? 10_000,
    idempotent: options.idempotent ?? (isPossible ? 'where possible' : false),
    maxInFlight,
    maxRetries: options.maxRetries ?? Infinity,
    retryBackoffMs: options.retryBackoffMs,
    deliveryTimeoutMs: isHasty ? Math.min(deliveryTimeoutMs, pendingTimeoutMs) : deliveryTimeoutMs,
    lingerMs: sync ? 0 : (options.lingerMs ?? 0),
    batchBytes: Math.min(options.batchBytes ?? USUAL_REQUEST_BYTES, maxRequestSize),
    maxRequestSize,
    minQueuedMessages: options.minQueuedMessages ?? 70_000,
    maxQueuedMessages: options.maxQueuedMessages ?? 100_000,
    maxQueuedBytes: options.maxQueuedBytes ?? 32 * 1024 * 1024,
    blockOnQueueFull: options.blockOnQueueFull ?? true,
    deliveryReports: options.deliveryReports ?? false,
    pendingTimeoutMs,
    serializer: options.serializer,
  }
}

/** Warns of a `maxInFlight` that turns idempotence off, unless `idempotent: false` asks for that. */
export function warnOfLostIdempotence(
  {
    idempotent,
    requiredAcks = -1,
    maxInFlight = 0,
  }: Pick<ProducerOptions, 'idempotent' | 'requiredAcks' | 'maxInFlight'>,
  logger: Logger,
): void {
  if (idempotent !== undefined || requiredAcks !== -1) return
  if (maxInFlight <= MAX_IN_FLIGHT_IDEMPOTENT) return
  logger.warn(
    `maxInFlight ${maxInFlight} turns idempotence off: brokers find repeats among ${MAX_IN_FLIGHT_IDEMPOTENT} batches. Set idempotent: false to keep it off without this warning`,
  )
}

/** Of options that are not checked yet. */
function compressionOf(options: unknown): unknown {
  return typeof options === 'object' && options !== null && 'compression' in options
    ? options.compression
    : undefined
}
