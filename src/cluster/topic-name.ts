import { InvalidArgumentError } from '../errors.ts'
import { shown } from '../options.ts'

/** Throws InvalidArgumentError for a name that no version of Kafka allows. */
export function checkTopicName(name: unknown): void {
  if (typeof name === 'string' && /^[\w.-]{1,249}$/.test(name) && name !== '.' && name !== '..')
    return
  throw new InvalidArgumentError(
    `${shown(name)} is not a valid topic name: 1 to 249 letters, digits, dots, underscores and hyphens`,
  )
}
