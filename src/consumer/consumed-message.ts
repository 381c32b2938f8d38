import { atOnce } from '../async/at-once.ts'
import { utilModule } from '../../protocol/builtins.ts'
import type { Message, MessageHeader, MessageObject } from '../../protocol/records/message.ts'
import { DeserializationError, InvalidArgumentError } from '../errors.ts'
import { textOfThrown } from '../observe/thrown.ts'

/** A message as an application gets it. Keys and values are bytes, unless there is a deserializer. */
export interface ConsumedMessage<Value = Buffer | null, Key = Buffer | null> {
  /** The topic that the message was read from. */
  readonly topic: string
  /** The partition that the message was read from. */
  readonly partition: number
  /** The position of the message in the partition. Offsets rise, with gaps after compaction and transactions. */
  readonly offset: number
  /** Milliseconds since 1970; −1 if the message has none (formats before Kafka 0.10). */
  readonly timestamp: number
  /** The origin of the timestamp: the producer (`create-time`) or the broker (`log-append-time`). */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** The key, from the `keyDeserializer` if the consumer has one; null if the message has none. */
  readonly key: Key
  /** The value, from the `deserializer` if the consumer has one; null in a tombstone. */
  readonly value: Value
  /** The headers in order, including duplicate keys (KIP-82). */
  readonly headers: readonly MessageHeader[]

  /**
   * Returns a copy as a plain object: for `structuredClone`, `postMessage` and spread. A message itself has getters,
   * which a spread does not copy, and cloning it throws a DataCloneError.
   */
  toObject(): MessageObject<Value, Key>
  /** Returns the same copy. `JSON.stringify` calls it: a Buffer becomes `{ type: 'Buffer', data: […] }`. */
  toJSON(): MessageObject<Value, Key>
}

/** The fields of a message before deserializers. */
export type RawMessage = Pick<
  ConsumedMessage,
  'topic' | 'partition' | 'offset' | 'timestamp' | 'key' | 'value' | 'headers'
>

/** Converts the bytes of a key or value for the application. The bytes are null if the message has none. */
export type Deserializer<To> = (bytes: Buffer | null, message: Message) => To

/** Decides what happens to a message if a deserializer throws. */
export type DeserializationPolicy =
  | DeserializationDecision
  | ((error: DeserializationError, message: Message) => DeserializationDecision)
/** What happens to a message when a deserializer throws: `stop`, `skip` or `deliver`. */
export type DeserializationDecision = 'stop' | 'skip' | 'deliver'

/** A message with deserialized key and value; the other fields are the original's. */
abstract class ConvertedMessage<Value, Key> {
  /** The message as it was read, with the bytes of key and value. */
  readonly message: Message

  constructor(message: Message) {
    this.message = message
  }

  get topic(): string {
    return this.message.topic
  }
  get partition(): number {
    return this.message.partition
  }
  get offset(): number {
    return this.message.offset
  }
  get timestamp(): number {
    return this.message.timestamp
  }
  get timestampType(): ConsumedMessage['timestampType'] {
    return this.message.timestampType
  }
  get headers(): readonly MessageHeader[] {
    return this.message.headers
  }

  abstract toObject(): MessageObject<Value, Key>

  toJSON(): MessageObject<Value, Key> {
    return this.toObject()
  }
}

class DeserializedMessage<Value, Key>
  extends ConvertedMessage<Value, Key>
  implements ConsumedMessage<Value, Key>
{
  readonly key: Key
  readonly value: Value

  constructor(message: Message, key: Key, value: Value) {
    super(message)
    this.key = key
    this.value = value
  }

  toObject(): MessageObject<Value, Key> {
    const { key, value } = this
    return { ...this.message.toObject(), key, value }
  }
}

/** A message that is delivered although a deserializer threw: reading its key or value throws the error. */
class UndeserializedMessage<Value, Key>
  extends ConvertedMessage<Value, Key>
  implements ConsumedMessage<Value, Key>
{
  readonly error: DeserializationError

  constructor(message: Message, error: DeserializationError) {
    super(message)
    this.error = error
  }

  get key(): Key {
    throw this.error
  }
  get value(): Value {
    throw this.error
  }

  toObject(): MessageObject<Value, Key> {
    throw this.error
  }
}

/** Returns the message as it was read, without deserializers. */
export function rawMessageOf(message: ConsumedMessage<unknown, unknown>): RawMessage {
  if (message instanceof ConvertedMessage) return message.message
  const { topic, partition, offset, key, value } = message
  return {
    topic,
    partition,
    offset,
    key: asBuffer(key),
    value: asBuffer(value),
    get timestamp() {
      return message.timestamp
    },
    get headers() {
      return message.headers
    },
  }
}

/** Returns the error of a deserializer for a message that was delivered nevertheless. */
export function deserializationErrorOf(
  message: ConsumedMessage<unknown, unknown>,
): DeserializationError | undefined {
  return message instanceof UndeserializedMessage ? message.error : undefined
}

function asBuffer(data: unknown): Buffer | null {
  if (Buffer.isBuffer(data)) return data
  return data instanceof Uint8Array ? Buffer.from(data) : null
}

/** Converts a message for the application. Undefined: the message is skipped. Throws DeserializationError. */
export type Converter<Value, Key> = (message: Message) => ConsumedMessage<Value, Key> | undefined

export interface ConversionOptions<Value, Key> {
  readonly deserializer?: Deserializer<Value> | undefined
  readonly keyDeserializer?: Deserializer<Key> | undefined
  readonly onDeserializationError?: DeserializationPolicy | undefined
}

export function converterOf<Value, Key>({
  deserializer,
  keyDeserializer,
  onDeserializationError = 'stop',
}: ConversionOptions<Value, Key>): Converter<Value, Key> {
  // Without a deserializer the type parameters default to the types of the bytes, which only the caller's types know.
  const ofValue = deserializer ?? asBytes
  const ofKey = keyDeserializer ?? asBytes
  if (deserializer === undefined && keyDeserializer === undefined) return asIs
  return (message) => {
    try {
      // Without a deserializer, Key and Value are the types of the bytes.
      const key = ofKey(message.key, message) as Key
      // As above.
      const value = ofValue(message.value, message) as Value
      // The promise of an asynchronous deserializer: only code that awaits the value gets its failure.
      if (key instanceof Promise) key.catch(() => undefined)
      if (value instanceof Promise) value.catch(() => undefined)
      return new DeserializedMessage(message, key, value)
    } catch (cause) {
      const { topic, partition, offset } = message
      const error = new DeserializationError(topic, partition, offset, cause)
      switch (decisionOn(onDeserializationError, error, message)) {
        case 'skip':
          return undefined
        case 'deliver':
          return new UndeserializedMessage(message, error)
        case 'stop':
          throw error
      }
    }
  }
}

/** A function decides synchronously, because messages are delivered without waiting. */
function decisionOn(
  policy: DeserializationPolicy,
  error: DeserializationError,
  message: Message,
): DeserializationDecision {
  if (typeof policy !== 'function') return policy
  const where = { topic: error.topic, partition: error.partition }
  let decision: unknown
  try {
    decision = policy(error, message)
  } catch (thrown) {
    const reason = `onDeserializationError threw: ${textOfThrown(thrown)}`
    throw new InvalidArgumentError(reason, { ...where, cause: thrown })
  }
  if (decision === 'skip' || decision === 'stop' || decision === 'deliver') return decision
  throw new InvalidArgumentError(
    `onDeserializationError returned ${utilModule().inspect(atOnce(decision, 'onDeserializationError', where))}: it must return 'stop', 'skip' or 'deliver'`,
    { ...where, cause: error },
  )
}

function asBytes(bytes: Buffer | null): unknown {
  return bytes
}

/** Returns messages as they are if the converter does nothing else, and undefined if it converts. */
export function asTheyAre<Value, Key>(
  messages: readonly Message[],
  convert: Converter<Value, Key>,
): readonly ConsumedMessage<Value, Key>[] | undefined {
  // As in `asIs`.
  return convert === asIs
    ? (messages as unknown as readonly ConsumedMessage<Value, Key>[])
    : undefined
}

/** Without deserializers Value and Key are the types of a Message: the casts for this rule are here and in `asTheyAre`. */
function asIs<Value, Key>(message: Message): ConsumedMessage<Value, Key> {
  return message as unknown as ConsumedMessage<Value, Key>
}
