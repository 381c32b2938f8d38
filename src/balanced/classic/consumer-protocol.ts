/** Encodes and decodes what the members of a group exchange through the broker. */
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../../protocol/messages/consumer-protocol.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import type { MessageSchema } from '../../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../../protocol/schema/fields.ts'
import {
  numbersByTopic,
  partitionsOf,
  type TopicPartition,
} from '../../consumer/topic-partition.ts'
import type { GroupMember } from '../assignors/assignor.ts'
import type { JoinedMember } from './group-requests.ts'

export interface OwnSubscription {
  readonly topics: readonly string[]
  readonly userData: Buffer | undefined
  readonly owned: readonly TopicPartition[]
  readonly generation: number
  readonly rack: string | undefined
}

/** Encodes the newest version: older members read the fields that they know. */
export function encodeSubscription(subscription: OwnSubscription): Buffer {
  return encode(consumerProtocolSubscription, {
    topics: [...subscription.topics],
    userData: subscription.userData ?? null,
    ownedPartitions: numbersByTopic(subscription.owned),
    generationId: subscription.generation,
    rackId: subscription.rack ?? null,
  })
}

/** Throws ProtocolError. */
export function decodeSubscription(member: JoinedMember): GroupMember {
  const { memberId, groupInstanceId, metadata } = member
  const subscription = decode(consumerProtocolSubscription, metadata)
  return {
    memberId,
    groupInstanceId,
    topics: subscription.topics,
    // Invalid entries would only confuse assignors.
    ownedPartitions: partitionsOf(subscription.ownedPartitions).filter((one) => one.partition >= 0),
    generation: subscription.generationId,
    rack: subscription.rackId ?? undefined,
    userData: subscription.userData === null ? undefined : asBuffer(subscription.userData),
  }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encode(consumerProtocolAssignment, {
    assignedPartitions: numbersByTopic(partitions),
    userData: null,
  })
}

/** Throws ProtocolError. */
export function decodeAssignment(bytes: Uint8Array): TopicPartition[] {
  // A leader sends this for a member without partitions.
  if (bytes.length === 0) return []
  return partitionsOf(decode(consumerProtocolAssignment, bytes).assignedPartitions)
}

function encode<F extends Fields>(message: MessageSchema<F>, value: Encodable<F>): Buffer {
  const writer = new Writer()
  const { max } = message.versions
  writer.int16(max)
  message.encode(writer, max, value)
  return Buffer.concat(writer.finish())
}

/** A newer version than the known ones begins like the newest known. */
function decode<F extends Fields>(message: MessageSchema<F>, bytes: Uint8Array): Decoded<F> {
  const reader = new Reader(asBuffer(bytes))
  const version = reader.int16()
  if (version < 0) throw new ProtocolError(`${message.name} has no version ${version}`, 0)
  return message.decode(reader, Math.min(version, message.versions.max))
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
