import type { MessageHeader, MessageObject } from '../../protocol/records/message.ts'
import type { ConsumedMessage } from '../consumer/consumed-message.ts'
import type { HeldRecord } from './held-record.ts'

/**
 * A message that this consumer has acquired. No other member gets it until its lock expires or it is
 * released.
 */
export class ShareMessage<Value = Buffer | null, Key = Buffer | null> implements ConsumedMessage<
  Value,
  Key
> {
  readonly #record: HeldRecord
  readonly #message: ConsumedMessage<Value, Key>

  /** @internal The consumer creates it. */
  constructor(record: HeldRecord, message: ConsumedMessage<Value, Key>) {
    this.#record = record
    this.#message = message
  }

  /** The topic that the message was read from. */
  get topic(): string {
    return this.#message.topic
  }
  /** The partition that the message was read from. */
  get partition(): number {
    return this.#message.partition
  }
  /** The offset of the message in the partition. */
  get offset(): number {
    return this.#record.offset
  }
  /** Milliseconds since 1970; −1 if the message has none. */
  get timestamp(): number {
    return this.#message.timestamp
  }
  /** The origin of the timestamp: the producer (`create-time`) or the broker (`log-append-time`). */
  get timestampType(): ConsumedMessage['timestampType'] {
    return this.#message.timestampType
  }
  /** The key, from the `keyDeserializer` if the consumer has one; null if the message has none. */
  get key(): Key {
    return this.#message.key
  }
  /** The value, from the `deserializer` if the consumer has one; null in a tombstone. */
  get value(): Value {
    return this.#message.value
  }
  /** The headers in order, including duplicate keys (KIP-82). */
  get headers(): readonly MessageHeader[] {
    return this.#message.headers
  }

  /** The number of times that the group has delivered this message, including this time: 1 for the first. */
  get deliveryCount(): number {
    return this.#record.deliveryCount
  }

  /**
   * The time at which the lock expires, in milliseconds since 1970. It is an estimate, because the broker counts from
   * the time at which it sent the message. A renewal moves it when the broker has accepted the renewal.
   */
  get lockExpiresAt(): number {
    return Math.floor(performance.timeOrigin + this.#record.lockedUntil)
  }

  /** True if the message was acknowledged, by the application or automatically. */
  get isAcknowledged(): boolean {
    return this.#record.state === 'acknowledged'
  }

  /** True if the lock is known to have ended, so that other members can acquire the message: an acknowledgement then has no effect. */
  get isLost(): boolean {
    return this.#record.state === 'lost'
  }

  /** Accepts the message as processed: the group does not deliver it again. Throws AlreadyAcknowledgedError. */
  accept(): void {
    this.#record.owner.acknowledge(this.#record, 'accept')
  }

  /**
   * Releases the message, which is then delivered again, here or to another member. Throws AlreadyAcknowledgedError.
   */
  release(): void {
    this.#record.owner.acknowledge(this.#record, 'release')
  }

  /**
   * Rejects the message, which cannot be processed and is not delivered again. If the group has a dead letter topic
   * (KIP-1191), the broker copies the message there. Throws AlreadyAcknowledgedError.
   */
  reject(): void {
    this.#record.owner.acknowledge(this.#record, 'reject')
  }

  /** Restarts the lock, for a message that takes longer (KIP-1222). Throws AlreadyAcknowledgedError. */
  renew(): void {
    this.#record.owner.renew(this.#record)
  }

  /** Returns a copy as a plain object: for `structuredClone`, `postMessage` and spread. */
  toObject(): MessageObject<Value, Key> {
    return this.#message.toObject()
  }

  /** Returns the same copy. `JSON.stringify` calls it: a Buffer becomes `{ type: 'Buffer', data: […] }`. */
  toJSON(): MessageObject<Value, Key> {
    return this.#message.toObject()
  }
}
