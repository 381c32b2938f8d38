import { DEFAULT_INFLATE_LIMIT_BYTES } from '../../protocol/records/read-batches.ts'
import { aSignal } from '../call-options.ts'
import { type DeserializationPolicy, type Deserializer } from '../consumer/consumed-message.ts'
import type { OptionTable, WithDefaults } from '../option-table.ts'
import {
  aDurationMs,
  aFunction,
  anArrayOf,
  anInteger,
  aString,
  either,
  oneOf,
  type Check,
} from '../options.ts'
import type { ShareMessage } from './share-message.ts'

/** The options of `client.getShareConsumer()`. `SHARE_CONSUMER_OPTIONS` has their checks and defaults. */
export interface ShareConsumerOptions<Value = Buffer | null, Key = Buffer | null> {
  /** The topics to read, by name. One that does not exist is read once it does. Required. */
  readonly topics: readonly string[]
  /** The share group (Kafka's `group.id`): its members share the messages of the topics. Required. */
  readonly shareGroup: string
  /**
   * `implicit`: requesting the next message accepts the previous one, unless it was acknowledged otherwise.
   * `explicit`: only `accept()`, `release()` and `reject()` acknowledge. In `run` the handler's end acknowledges in
   * both. Default: `implicit`.
   */
  readonly acknowledgementMode?: 'implicit' | 'explicit'
  /**
   * How many messages are acquired at a time (KIP-1206). `batch_optimized` may exceed `maxRecords` by a part of a batch,
   * which costs brokers less; `record_limit` does not. Default: `record_limit` in `run`, `batch_optimized` otherwise.
   */
  readonly acquireMode?: 'batch_optimized' | 'record_limit'
  /**
   * The maximum number of messages to acquire from a broker in one request (Kafka's `max.poll.records`). Their locks
   * start then. Default: 500.
   */
  readonly maxRecords?: number
  /** How many bytes a broker waits for before it responds, up to `fetchWaitMaxMs`. Default: 1. */
  readonly fetchMinBytes?: number
  /** The maximum size of a response. A single larger batch is still fetched. Default: 50 MiB. */
  readonly fetchMaxBytes?: number
  /** How long a broker waits for messages. Acknowledgements to it wait as long. Default: 500. */
  readonly fetchWaitMaxMs?: number
  /** The maximum size of one decompressed batch. Default: 256 MiB. */
  readonly decompressedBatchMaxBytes?: number
  /** How long `consume()` and iteration wait for a message before they end; −1: without limit. Default: −1. */
  readonly consumerTimeoutMs?: number
  /**
   * How long the application may request no message before this member leaves the group, so that others get its
   * partitions (Kafka's `max.poll.interval.ms`). The next request throws a MaxPollIntervalError, and later ones join
   * the group again. Default: 300,000.
   */
  readonly maxPollIntervalMs?: number
  /** The rack or zone that this consumer runs in (Kafka's `client.rack`). Default: none. */
  readonly clientRack?: string
  /** Returns the value of a message from its bytes, which are null for a tombstone. Default: values are Buffers. */
  readonly deserializer?: Deserializer<Value>
  /** Returns the key of a message from its bytes, which are null if there is no key. Default: keys are Buffers. */
  readonly keyDeserializer?: Deserializer<Key>
  /**
   * What happens when a deserializer throws. `stop` releases the message and throws a DeserializationError, which in `run`
   * ends the run; `skip` rejects the message; `deliver` delivers it, and reading its `key` or `value` throws the error. A
   * function gets the error and the message with its original bytes, and returns one of the three, not a promise. Refused
   * without a deserializer. Default: `stop`.
   */
  readonly onDeserializationError?: DeserializationPolicy
}

const someNames: Check<readonly string[]> = (value) =>
  anArrayOf(aString)(value) ??
  (Array.isArray(value) && value.length === 0 ? 'must name a topic' : undefined)

/** The checks and defaults of `ShareConsumerOptions`, in the order of the documents. */
export const SHARE_CONSUMER_OPTIONS = {
  topics: { check: someNames, required: true },
  shareGroup: { check: aString, required: true },
  acknowledgementMode: { check: oneOf('implicit', 'explicit'), default: 'implicit' },
  acquireMode: {
    check: oneOf('batch_optimized', 'record_limit'),
    defaultText: '`record_limit` in `run`, `batch_optimized` otherwise',
  },
  maxRecords: { check: anInteger(1, 100_000), default: 500 },
  fetchMinBytes: { check: anInteger(0, 0x7fffffff), default: 1 },
  fetchMaxBytes: { check: anInteger(1, 0x7fffffff), default: 50 * 1024 * 1024 },
  fetchWaitMaxMs: { check: aDurationMs(0), default: 500 },
  decompressedBatchMaxBytes: {
    check: anInteger(1, 0x7fffffff),
    default: DEFAULT_INFLATE_LIMIT_BYTES,
  },
  consumerTimeoutMs: { check: anInteger(-1, 0x7fffffff), default: -1 },
  maxPollIntervalMs: { check: aDurationMs(1), default: 300_000 },
  clientRack: { check: aString, defaultText: 'none' },
  deserializer: { check: aFunction, defaultText: 'values are Buffers' },
  keyDeserializer: { check: aFunction, defaultText: 'keys are Buffers' },
  onDeserializationError: {
    check: either(oneOf('stop', 'skip', 'deliver'), aFunction),
    default: 'stop',
    noEffect: ({ deserializer, keyDeserializer }) =>
      (deserializer ?? keyDeserializer) === undefined ? 'without a deserializer' : undefined,
  },
} as const satisfies OptionTable<ShareConsumerOptions<unknown, unknown>>

/** The options with their defaults. */
export type ShareConsumerSettings = WithDefaults<
  ShareConsumerOptions<unknown, unknown>,
  typeof SHARE_CONSUMER_OPTIONS
>

/** What happens to the message of a failed handler. */
export type FailureDecision = 'release' | 'reject'

/** The options of `shareConsumer.run()`. `SHARE_RUN_OPTIONS` has their checks and defaults. */
export interface ShareRunOptions<Value = Buffer | null, Key = Buffer | null> {
  /** The number of handlers that run at the same time. Default: 1. */
  readonly concurrency?: number
  /**
   * A message whose handler fails is rejected after this number of deliveries, and released before. The group's own
   * limit (`group.share.delivery.count.limit`, 5 by default) also applies. Default: only the limit of the group.
   */
  readonly maxDeliveries?: number
  /**
   * Called with the handler's error and the message. Returns `release` or `reject`, or nothing to let `maxDeliveries`
   * decide. Default: the error is logged as a warning.
   */
  readonly onHandlerError?: (
    error: unknown,
    message: ShareMessage<Value, Key>,
  ) => FailureDecision | undefined
  /** Ends the run when it is aborted: `run` waits for the handlers that have begun, then throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Ends the run when it is aborted: `run` waits for the handlers that have begun, then resolves. */
  readonly stopSignal?: AbortSignal
}

/** The checks and defaults of `ShareRunOptions`, in the order of the documents. */
export const SHARE_RUN_OPTIONS = {
  concurrency: { check: anInteger(1), default: 1 },
  maxDeliveries: { check: anInteger(1), defaultText: 'only the limit of the group' },
  onHandlerError: { check: aFunction, defaultText: 'the error is logged as a warning' },
  signal: { check: aSignal },
  stopSignal: { check: aSignal },
} as const satisfies OptionTable<ShareRunOptions<never, never>>
