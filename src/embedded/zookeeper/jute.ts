/**
 * Jute, ZooKeeper's serialization, on top of Kafka's reader and writer: both are big-endian. A
 * length of −1 is null. Every length is checked against the remaining bytes.
 */
import { Buffer } from 'node:buffer'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import type { AclEntry } from './tree/acl.ts'
import type { NodeStat } from './tree/node.ts'

export class JuteReader extends Reader {
  string(): string {
    const text = this.stringOrNull()
    if (text === null) throw new ProtocolError('a string is null', this.offset)
    return text
  }

  stringOrNull(): string | null {
    const length = this.#length()
    return length === null ? null : this.utf8(length)
  }

  /**
   * A copy, because the bytes may stay in the tree, and must not keep the received chunk in memory.
   */
  bufferOrNull(): Buffer | null {
    const length = this.#length()
    return length === null ? null : Buffer.from(this.bytes(length))
  }

  strings(): string[] {
    return this.#vector(4, () => this.string())
  }

  acl(): AclEntry[] {
    return this.#vector(12, () => ({
      permissions: this.int32(),
      scheme: this.stringOrNull() ?? '',
      id: this.stringOrNull() ?? '',
    }))
  }

  #vector<T>(leastBytes: number, read: () => T): T[] {
    const count = this.#length() ?? 0
    if (count * leastBytes > this.remaining) {
      throw new ProtocolError(
        `${this.remaining} bytes cannot contain ${count} elements`,
        this.offset,
      )
    }
    return Array.from({ length: count }, read)
  }

  #length(): number | null {
    const length = this.int32()
    if (length === -1) return null
    if (length < 0) throw new ProtocolError(`the length ${length} is negative`, this.offset)
    return length
  }
}

export class JuteWriter extends Writer {
  string(text: string): void {
    const length = Buffer.byteLength(text)
    this.int32(length)
    this.utf8(text, length)
  }

  buffer(data: Uint8Array | null): void {
    this.int32(data?.length ?? -1)
    if (data !== null) this.bytes(data)
  }

  strings(values: Iterable<string>): void {
    const all = [...values]
    this.int32(all.length)
    for (const value of all) this.string(value)
  }

  acl(entries: readonly AclEntry[]): void {
    this.int32(entries.length)
    for (const { permissions, scheme, id } of entries) {
      this.int32(permissions)
      this.string(scheme)
      this.string(id)
    }
  }

  stat(stat: NodeStat): void {
    this.int64(stat.czxid)
    this.int64(stat.mzxid)
    this.int64(BigInt(stat.ctime))
    this.int64(BigInt(stat.mtime))
    this.int32(stat.version)
    this.int32(stat.cversion)
    this.int32(stat.aversion)
    this.int64(stat.ephemeralOwner)
    this.int32(stat.dataLength)
    this.int32(stat.numChildren)
    this.int64(stat.pzxid)
  }
}
