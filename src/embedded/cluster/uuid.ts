import { randomBytes } from 'node:crypto'

/** A random uuid in 22 characters of base64url; as in Kafka never one that looks like an option. */
export function newUuid(): string {
  for (;;) {
    const uuid = randomBytes(16).toString('base64url')
    if (!uuid.startsWith('-')) return uuid
  }
}
