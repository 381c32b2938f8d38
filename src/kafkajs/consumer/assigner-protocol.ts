import type {
  Assignment,
  ISerializer,
  MemberAssignment,
  MemberMetadata,
} from '../types/consumer.ts'

const INT16_BYTES = 2
const INT32_BYTES = 4

class Output {
  readonly #parts: Buffer[] = []

  int16(value: number): this {
    const bytes = Buffer.alloc(INT16_BYTES)
    bytes.writeInt16BE(value)
    return this.#add(bytes)
  }

  int32(value: number): this {
    const bytes = Buffer.alloc(INT32_BYTES)
    bytes.writeInt32BE(value)
    return this.#add(bytes)
  }

  string(value: string): this {
    const bytes = Buffer.from(value)
    return this.int16(bytes.length).#add(bytes)
  }

  bytes(value: Buffer | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).#add(value)
  }

  get buffer(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #add(bytes: Buffer): this {
    this.#parts.push(bytes)
    return this
  }
}

/** Reads the fields of version 0, which every later version begins with. */
class Input {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  int16(): number {
    const value = this.#buffer.readInt16BE(this.#at)
    this.#at += INT16_BYTES
    return value
  }

  int32(): number {
    const value = this.#buffer.readInt32BE(this.#at)
    this.#at += INT32_BYTES
    return value
  }

  string(): string {
    return this.#take(this.int16()).toString()
  }

  bytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.#take(length)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(this.#at, this.#at + length)
    this.#at += length
    return taken
  }
}

const NO_DATA = Buffer.alloc(0)

const memberMetadata: ISerializer<MemberMetadata> = {
  encode: ({ version, topics, userData = NO_DATA }) => {
    const output = new Output().int16(version).int32(topics.length)
    for (const topic of topics) output.string(topic)
    return output.bytes(userData).buffer
  },
  decode: (buffer) => {
    const input = new Input(buffer)
    return {
      version: input.int16(),
      topics: input.array(() => input.string()),
      // kafkajs declares a Buffer, but returns null if there are no data.
      userData: input.bytes() as Buffer,
    }
  },
}

const memberAssignment: ISerializer<MemberAssignment> = {
  encode: ({ version, assignment, userData = NO_DATA }) => {
    const topics = Object.entries(assignment)
    const output = new Output().int16(version).int32(topics.length)
    for (const [topic, partitions] of topics) {
      output.string(topic).int32(partitions.length)
      for (const partition of partitions) output.int32(partition)
    }
    return output.bytes(userData).buffer
  },
  decode: (buffer) => {
    // A leader may send this for a member without partitions.
    if (buffer.length < INT16_BYTES) return null
    const input = new Input(buffer)
    const version = input.int16()
    const topics = input.array(() => ({
      topic: input.string(),
      partitions: input.array(() => input.int32()),
    }))
    const assignment: Assignment = {}
    for (const { topic, partitions } of topics) assignment[topic] = partitions
    // As above, for `userData`.
    return { version, assignment, userData: input.bytes() as Buffer }
  },
}

/** Encodes and decodes the data that the members of a group exchange through the broker. */
export const AssignerProtocol = {
  MemberMetadata: memberMetadata,
  MemberAssignment: memberAssignment,
}
