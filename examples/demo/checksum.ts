import { createHash } from 'node:crypto'

/** The SHA-256 of the bytes of a message. */
export function checksumOf(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('base64')
}
