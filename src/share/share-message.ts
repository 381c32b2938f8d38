import type { MessageHeader, MessageObject } from '../../protocol/records/message.ts'
import type { ConsumedMessage } from '../consumer/consumed-message.ts'
import type { HeldRecord } from './held-record.ts'

/**
 * A message that the share group has lent to this consumer. No other member gets it until its lock runs out or it is
 * released.
 */
export class ShareMessage<Value = Buffer | null, Key = Buffer | null> implements ConsumedMessage<
  Value,
  Key
> {
  readonly #record: HeldRecord
  readonly #message: ConsumedMessage<Value, Key>

  /** @internal Made by the consumer. */
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
  /** Its place in the partition. */
  get offset(): number {
    return this.#record.offset
  }
  /** Milliseconds since 1970; −1 where the message has none. */
  get timestamp(): number {
    return this.#message.timestamp
  }
  /** The origin of the timestamp: the producer (`create-time`) or the broker (`log-append-time`). */
  get timestampType(): ConsumedMessage['timestampType'] {
    return this.#message.timestampType
  }
  /** The key, from the `keyDeserializer` if the consumer has one; null where the message has none. */
  get key(): Key {
    return this.#message.key
  }
  /** The value, from the `deserializer` if the consumer has one; null in a tombstone. */
  get value(): Value {
    return this.#message.value
  }
  /** In order, repeats included (KIP-82). */
  get headers(): readonly MessageHeader[] {
    return this.#message.headers
  }

  /** How often the group has delivered this message, this time included: 1 for the first time. */
  get deliveryCount(): number {
    return this.#record.deliveryCount
  }

  /**
   * When the lock runs out, in milliseconds since 1970, as far as is known here: the broker counts from when it sent
   * the message. Renewals move it once the broker has taken them.
   */
  get lockExpiresAt(): number {
    return Math.floor(performance.timeOrigin + this.#record.lockedUntil)
  }

  /** Whether the message was acknowledged, by the application or for it. */
  get isAcknowledged(): boolean {
    return this.#record.state === 'acknowledged'
  }

  /** Whether the broker is known to give the message to others: an acknowledgement has no effect then. */
  get isLost(): boolean {
    return this.#record.state === 'lost'
  }

  /** The message is processed: the group does not deliver it again. Throws AlreadyAcknowledgedError. */
  accept(): void {
    this.#record.owner.acknowledge(this.#record, 'accept')
  }

  /** The message is to be delivered again, here or to another member. Throws AlreadyAcknowledgedError. */
  release(): void {
    this.#record.owner.acknowledge(this.#record, 'release')
  }

  /**
   * The message cannot be processed, and is not delivered again. Where the group has a dead letter topic (KIP-1191), the
   * broker copies it there. Throws AlreadyAcknowledgedError.
   */
  reject(): void {
    this.#record.owner.acknowledge(this.#record, 'reject')
  }

  /** Begins the lock again, for a message that takes longer (KIP-1222). Throws AlreadyAcknowledgedError. */
  renew(): void {
    this.#record.owner.renew(this.#record)
  }

  /** A copy as a plain object: for `structuredClone`, `postMessage` and spread. */
  toObject(): MessageObject<Value, Key> {
    return this.#message.toObject()
  }

  /** The same, called by `JSON.stringify`: a Buffer becomes `{ type: 'Buffer', data: […] }`. */
  toJSON(): MessageObject<Value, Key> {
    return this.#message.toObject()
  }
}
