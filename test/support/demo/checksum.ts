import { createHash } from 'node:crypto'

/** SHA-256 of a message's bytes. */
export function checksumOf(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('base64')
}
