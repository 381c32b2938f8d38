import { InvalidArgumentError } from '../errors.ts'

/** Throws InvalidArgumentError for a name that Kafka allows nowhere. */
export function checkTopicName(name: string): void {
  if (/^[\w.-]{1,249}$/.test(name) && name !== '.' && name !== '..') return
  throw new InvalidArgumentError(
    `'${name}' is not a topic's name: 1 to 249 letters, digits, dots, underscores and hyphens`,
  )
}
