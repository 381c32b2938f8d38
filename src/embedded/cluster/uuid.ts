import { randomBytes } from 'node:crypto'

/**
 * A random uuid in 22 characters of base64url. As in Kafka, it never begins with a hyphen, because commands would take
 * it for an option.
 */
export function newUuid(): string {
  for (;;) {
    const uuid = randomBytes(16).toString('base64url')
    if (!uuid.startsWith('-')) return uuid
  }
}
