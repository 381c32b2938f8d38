/** The valid values of a topic's configs, measured on a 4.4.0 broker, with its error messages. */
import { Refused } from '../refused.ts'
import type { ConfigDefinition } from './config-definition.ts'

/** The lowest and highest value, if they differ from those of the type. */
const RANGES: Readonly<Record<string, readonly [number, number?]>> = {
  'compression.lz4.level': [1, 17],
  'compression.zstd.level': [-131_072, 22],
  'delete.retention.ms': [0],
  'file.delete.delay.ms': [0],
  'flush.messages': [1],
  'flush.ms': [0],
  'index.interval.bytes': [0],
  'local.retention.bytes': [-2],
  'local.retention.ms': [-2],
  'max.compaction.lag.ms': [1],
  'max.decompressed.message.bytes': [1],
  'max.message.bytes': [0],
  'message.timestamp.after.max.ms': [0],
  'message.timestamp.before.max.ms': [0],
  'min.cleanable.dirty.ratio': [0, 1],
  'min.compaction.lag.ms': [0],
  'min.insync.replicas': [1],
  'remote.copy.lag.bytes': [-1],
  'remote.copy.lag.ms': [-1],
  'retention.ms': [-1],
  'segment.bytes': [1_048_576],
  'segment.index.bytes': [4],
  'segment.jitter.ms': [0],
  'segment.ms': [1],
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'cleanup.policy': ['compact', 'delete'],
  'compression.type': ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
  'message.timestamp.type': ['CreateTime', 'LogAppendTime'],
}

const GZIP_LEVEL = 'compression.gzip.level'
const BITS = { int: 32, long: 64 } as const
const REPLICAS = /^(\*|\d+:\d+)$/

/** Throws INVALID_CONFIG. */
export function checkConfigValue(definition: ConfigDefinition, value: string): void {
  const problem = problemOf(definition, value.trim())
  if (problem === undefined) return
  const { name, type } = definition
  const isNumber = type === 'int' || type === 'long' || type === 'double'
  const shown = isNumber && Number.isFinite(Number(value)) ? String(Number(value)) : value
  throw new Refused(
    'INVALID_CONFIG',
    `Invalid value ${problem.shown ?? shown} for configuration ${name}: ${problem.why}`,
  )
}

interface Problem {
  readonly why: string
  readonly shown?: string
}

function problemOf({ name, type }: ConfigDefinition, text: string): Problem | undefined {
  switch (type) {
    case 'int':
    case 'long': {
      const isWhole = /^[+-]?\d+$/.test(text)
      const fits = isWhole && BigInt.asIntN(BITS[type], BigInt(text)) === BigInt(text)
      return fits
        ? problemOfRange(name, Number(text))
        : { why: `Not a number of type ${type.toUpperCase()}`, shown: text }
    }
    case 'double':
      return /\d/.test(text) && Number.isFinite(Number(text))
        ? problemOfRange(name, Number(text))
        : { why: 'Not a number of type DOUBLE', shown: text }
    case 'boolean':
      return /^(true|false)$/i.test(text)
        ? undefined
        : { why: 'Expected value to be either true or false' }
    case 'string':
      return problemOfChoice(name, [text])
    case 'list':
      return problemOfList(name, text === '' ? [] : text.split(',').map((one) => one.trim()))
  }
}

function problemOfRange(name: string, value: number): Problem | undefined {
  if (name === GZIP_LEVEL) {
    return value === -1 || (value >= 1 && value <= 9)
      ? undefined
      : { why: 'Value must be between 1 and 9 or equal to -1' }
  }
  const [min, max] = RANGES[name] ?? []
  if (min !== undefined && value < min) return { why: `Value must be at least ${min}` }
  if (max !== undefined && value > max) return { why: `Value must be no more than ${max}` }
  return undefined
}

function problemOfList(name: string, items: readonly string[]): Problem | undefined {
  if (!name.endsWith('.replication.throttled.replicas')) return problemOfChoice(name, items)
  return items.every((item) => REPLICAS.test(item))
    ? undefined
    : {
        why:
          `${name} must be the literal '*' or a list of replicas in the following format: ` +
          '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
        shown: `[${items.join(', ')}]`,
      }
}

function problemOfChoice(name: string, items: readonly string[]): Problem | undefined {
  const allowed = ALLOWED[name]
  const stranger = items.find((item) => allowed?.includes(item) === false)
  return stranger === undefined || allowed === undefined
    ? undefined
    : { why: `String must be one of: ${allowed.join(', ')}`, shown: stranger }
}
