import type { Data, HeadersInit } from './serialize.ts'

/** The fields of a message besides its value. */
export interface ProduceOptions<Key = Data> {
  /** Messages with the same key go to the same partition. Default: null, no key. */
  readonly key?: Key | null
  /** Needs Kafka 0.11 or newer. */
  readonly headers?: HeadersInit
  /** A Date, or whole milliseconds since 1970. Default: now. Needs Kafka 0.10 or newer. */
  readonly timestamp?: number | Date
  /** The partition to write to, instead of the partitioner's choice. */
  readonly partition?: number
}

/** The options of a message, or its key alone as in pykafka: text, bytes or null. */
export type KeyOrOptions<Key = Data> = ProduceOptions<Key> | Extract<Key, Data>

/** A message with all its fields. */
export interface OutgoingMessage<Value = Data, Key = Data> extends ProduceOptions<Key> {
  /** The value to send, or the input of the producer's `serializer`; null is a tombstone. */
  readonly value: Value
}

/** A message of `produceMany`: an object, or only its value as text, bytes or null. */
export type MessageOrValue<Value = Data, Key = Data> = OutgoingMessage<Value, Key> | Data

/** The messages of `produceMany`. */
export type MessageSource<Value = Data, Key = Data> =
  Iterable<MessageOrValue<Value, Key>> | AsyncIterable<MessageOrValue<Value, Key>>
