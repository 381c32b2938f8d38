import type { Message, MessageHeader } from '../../protocol/records/message.ts'
import { DeserializationError } from '../errors.ts'

/** A message as an application gets it: keys and values are bytes, unless there is a deserializer. */
export interface ConsumedMessage<Value = Buffer | null, Key = Buffer | null> {
  readonly topic: string
  readonly partition: number
  /** Its place in the partition. Offsets rise, with gaps where compaction and transactions leave them. */
  readonly offset: number
  /** Milliseconds since 1970; −1 where the message has none (formats before Kafka 0.10). */
  readonly timestamp: number
  /** Who set the timestamp: the producer (`create-time`) or the broker (`log-append-time`). */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  readonly key: Key
  readonly value: Value
  /** In order, repeats included (KIP-82). */
  readonly headers: readonly MessageHeader[]
}

/** Makes of the bytes what the application wants to have. Null where the message has none. */
export type Deserializer<To> = (bytes: Buffer | null, message: Message) => To

/** What to do about a message that a deserializer threw at. */
export type DeserializationPolicy =
  'stop' | 'skip' | ((error: DeserializationError, message: Message) => 'stop' | 'skip')

/** A message whose key and value went through deserializers; the rest is told from the original. */
export class DeserializedMessage<Value, Key> implements ConsumedMessage<Value, Key> {
  /** As it was read: with the bytes of key and value. */
  readonly message: Message
  readonly key: Key
  readonly value: Value

  constructor(message: Message, key: Key, value: Value) {
    this.message = message
    this.key = key
    this.value = value
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
}

/** Makes of a message what the application gets. Undefined: it is to be skipped. Throws DeserializationError. */
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
  // Without a deserializer the types default to those that the bytes have: only the caller's types know it.
  const ofValue = deserializer ?? asBytes
  const ofKey = keyDeserializer ?? asBytes
  if (deserializer === undefined && keyDeserializer === undefined) return asIs
  return (message) => {
    try {
      const key = ofKey(message.key, message) as Key
      return new DeserializedMessage(message, key, ofValue(message.value, message) as Value)
    } catch (cause) {
      const { topic, partition, offset } = message
      const error = new DeserializationError(topic, partition, offset, cause)
      const policy =
        typeof onDeserializationError === 'function'
          ? onDeserializationError(error, message)
          : onDeserializationError
      if (policy === 'skip') return undefined
      throw error
    }
  }
}

function asBytes(bytes: Buffer | null): unknown {
  return bytes
}

/** The cast is the one place that says: without deserializers Value and Key are what a Message has. */
function asIs<Value, Key>(message: Message): ConsumedMessage<Value, Key> {
  return message as unknown as ConsumedMessage<Value, Key>
}
