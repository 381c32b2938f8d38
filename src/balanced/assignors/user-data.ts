/** The user data of Java's sticky assignors, so that Java's and samsa's members know each other's claims. */
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { MessageSchema } from '../../../protocol/schema/api.ts'
import { array, int32, string } from '../../../protocol/schema/fields.ts'
import { numbersByTopic, partitionsOf } from '../../consumer/topic-partition.ts'
import type { LastAssignment } from './assignor.ts'
import type { MemberData } from './sticky-input.ts'

/** Since Kafka 2.3 with the generation (KIP-341). The data do not contain their version. */
const stickyUserData = new MessageSchema('StickyAssignorUserData', '0-1', 'none', {
  previousAssignment: array('0+', {
    topic: string('0+'),
    partitions: array('0+', 'int32'),
  }),
  generation: int32('1+', { default: -1 }),
})

const NOTHING: MemberData = { partitions: [], generation: -1 }

export function encodeStickyUserData({ partitions, generation }: LastAssignment): Buffer {
  const writer = new Writer()
  stickyUserData.encode(writer, 1, { previousAssignment: numbersByTopic(partitions), generation })
  return Buffer.concat(writer.finish())
}

/** Unreadable data claim nothing, as in Java. */
export function decodeStickyUserData(bytes: Buffer | undefined): MemberData {
  if (bytes === undefined || bytes.length === 0) return NOTHING
  for (const version of [1, 0]) {
    try {
      const { previousAssignment, generation } = stickyUserData.decode(new Reader(bytes), version)
      return { partitions: partitionsOf(previousAssignment), generation }
    } catch {
      // The data are of the previous version, or of another assignor.
    }
  }
  return NOTHING
}

/** The user data of cooperative-sticky before subscriptions had a generation field (v2, KIP-792). */
export function encodeGeneration(generation: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(generation)
  return bytes
}

export function decodeGeneration(bytes: Buffer | undefined): number {
  return bytes === undefined || bytes.length < 4 ? -1 : bytes.readInt32BE(0)
}
