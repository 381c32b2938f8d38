import { InvalidArgumentError } from 'commander'
import { duration } from './command.ts'

/**
 * A point in time: a date such as `2026-01-31` or `2026-01-31T10:00:00Z`, milliseconds since 1970,
 * or a duration before now such as `-2h`. A date without a time zone is in the local one.
 */
export function timeOf(text: string, now = Date.now()): Date {
  if (/^-\d/.test(text)) return new Date(now - duration(text.slice(1)))
  if (/^\d{10,16}$/.test(text)) return new Date(Number(text))
  const isDate =
    /^\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?$/
  // Date parses a day without a time as UTC, and a time without a time zone as local.
  const full = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text.replace(' ', 'T')
  const found = new Date(isDate.test(text) ? full : NaN)
  if (!Number.isNaN(found.getTime())) return found
  throw new InvalidArgumentError(
    'It must be a date such as 2026-01-31 or 2026-01-31T10:00:00Z, milliseconds since 1970, or a time ago such as -2h.',
  )
}
