import type { Data, HeadersInit } from './serialize.ts'

/** What may be said of a message besides its value. */
export interface ProduceOptions<Key = Data> {
  /** Messages with the same key go to the same partition. Default: null, no key. */
  readonly key?: Key | null
  /** Needs Kafka 0.11 or newer. */
  readonly headers?: HeadersInit
  /** A Date, or whole milliseconds since 1970. Default: now. Needs Kafka 0.10 or newer. */
  readonly timestamp?: number | Date
  /** By hand, past the partitioner. */
  readonly partition?: number
}

/** The options of a message, or its key alone as in pykafka, where keys are text, bytes or null. */
export type KeyOrOptions<Key = Data> = ProduceOptions<Key> | Extract<Key, Data>

/** A message in full. */
export interface OutgoingMessage<Value = Data, Key = Data> extends ProduceOptions<Key> {
  /** The value to send, or what the producer's `serializer` makes one of; null is a tombstone. */
  readonly value: Value
}

/** One of many messages: in full, or text, bytes or a null by itself. */
export type Message<Value = Data, Key = Data> = OutgoingMessage<Value, Key> | Data

/** Many messages. */
export type MessageSource<Value = Data, Key = Data> =
  Iterable<Message<Value, Key>> | AsyncIterable<Message<Value, Key>>
