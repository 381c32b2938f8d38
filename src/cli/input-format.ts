/**
 * The format of `produce -f`: it describes where a line contains the key, the value, headers, the
 * partition and the time of a message, such as `%k\t%v` or `%p %k: %s`. Texts between fields
 * separate them; the last field takes the rest.
 */
import { UsageError } from './failure.ts'
import { unescaped } from './format.ts'
import type { RecordOfLine } from './records.ts'

type FieldName = 'key' | 'value' | 'headers' | 'partition' | 'timestamp'

const FIELDS: Readonly<Record<string, FieldName>> = {
  k: 'key',
  s: 'value',
  v: 'value',
  h: 'headers',
  p: 'partition',
  T: 'timestamp',
}

interface Step {
  /** The text that ends the field; undefined for the last one, which takes the rest. */
  readonly until: Buffer | undefined
  readonly field: FieldName
}

export type LineParser = (line: Buffer, number: number) => RecordOfLine

/** Throws UsageError for an invalid format. */
export function inputFormat(format: string): LineParser {
  const tokens = format.match(/%.|[^%]+/gsu) ?? []
  if (tokens.join('') !== format) {
    throw new UsageError('the format ends with a single %: write %% for a percent sign')
  }
  let prefix: Buffer | undefined
  const steps: { until: Buffer | undefined; field: FieldName }[] = []
  for (const token of tokens) {
    const field = fieldOf(token)
    const last = steps.at(-1)
    if (field !== undefined) {
      if (last !== undefined && last.until === undefined) {
        throw new UsageError(`the format needs a separator before ${token}`)
      }
      if (steps.some((step) => step.field === field)) {
        throw new UsageError(`the format has ${token} twice`)
      }
      steps.push({ field, until: undefined })
      continue
    }
    const text = token === '%%' ? Buffer.from('%') : unescaped(token)
    if (last === undefined) prefix = Buffer.concat([prefix ?? Buffer.alloc(0), text])
    else last.until = Buffer.concat([last.until ?? Buffer.alloc(0), text])
  }
  if (steps.length === 0)
    throw new UsageError('the format has no field: the fields are %k, %v, %h, %p and %T')
  return (line, number) => parse(line, number, prefix, steps, format)
}

function fieldOf(token: string): FieldName | undefined {
  if (!token.startsWith('%') || token === '%%') return undefined
  const letter = token.slice(1)
  if (Object.hasOwn(FIELDS, letter)) return FIELDS[letter]!
  throw new UsageError(`the format has no field ${token}; it has %k %s %v %h %p %T`)
}

function parse(
  line: Buffer,
  number: number,
  prefix: Buffer | undefined,
  steps: readonly Step[],
  format: string,
): RecordOfLine {
  const wrong = (): UsageError =>
    new UsageError(`line ${number} of the input does not match the format '${format}'`)
  let at = 0
  if (prefix !== undefined) {
    if (!line.subarray(0, prefix.length).equals(prefix)) throw wrong()
    at = prefix.length
  }
  const found: Partial<Record<FieldName, Buffer>> = {}
  for (const { until, field } of steps) {
    const end = until === undefined ? line.length : line.indexOf(until, at)
    if (end < 0) throw wrong()
    found[field] = line.subarray(at, end)
    at = end + (until?.length ?? 0)
  }
  const { key = null, value = null, headers, partition, timestamp } = found
  return {
    key,
    value,
    ...(headers === undefined || headers.length === 0 ? {} : { headers: headersOf(headers) }),
    ...(partition === undefined ? {} : { partition: numberOf(partition, wrong) }),
    ...(timestamp === undefined ? {} : { timestamp: numberOf(timestamp, wrong) }),
  }
}

/** In the form that `%h` of consume prints: `key=value,key=value`. */
function headersOf(text: Buffer): { key: string; value: Buffer | null }[] {
  return text
    .toString()
    .split(',')
    .map((pair) => {
      const at = pair.indexOf('=')
      if (at < 0) return { key: pair, value: null }
      return { key: pair.slice(0, at), value: Buffer.from(pair.slice(at + 1)) }
    })
}

function numberOf(text: Buffer, wrong: () => UsageError): number {
  const digits = text.toString()
  if (!/^\d{1,15}$/.test(digits)) throw wrong()
  return Number(digits)
}
