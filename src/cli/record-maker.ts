/** Converts a line to the record that `produce` sends, according to its options. */
import type { ProduceOptions } from '../index.ts'
import { UsageError } from './failure.ts'
import { unescaped } from './format.ts'
import { inputFormat } from './input-format.ts'
import { splitKey } from './lines.ts'
import { recordOf } from './records.ts'
import { keyAndValue } from './session.ts'

export interface RecordOptions {
  readonly keySeparator?: string
  readonly key?: string
  readonly header?: readonly string[]
  readonly partition?: number | undefined
  readonly json?: boolean
  readonly format?: string
  readonly null?: boolean
  readonly tombstone?: boolean
}

export type OutgoingRecord = ProduceOptions & { readonly value: Buffer | null }

export type RecordMaker = (line: Buffer, number: number) => OutgoingRecord

/** Throws UsageError for contradicting options. */
export function recordMaker(options: RecordOptions): RecordMaker {
  const { json = false, format, keySeparator, key, header = [], partition } = options
  const { tombstone = false } = options
  const modes = [
    ...(json ? ['--json'] : []),
    ...(format === undefined ? [] : ['--format']),
    ...(tombstone ? ['--tombstone'] : []),
    ...(keySeparator === undefined ? [] : ['--key-separator']),
  ]
  if (modes.length > 1) throw new UsageError(`give only one of ${modes.join(' and ')}`)
  // As in kcat, a key in the line takes precedence over the common key.
  if (modes.length > 0 && keySeparator === undefined && key !== undefined) {
    throw new UsageError(`${modes[0]} reads the key from each line: it cannot be used with --key`)
  }
  const headers = header.map(keyAndValue).map(([name, value]) => ({ key: name, value }))
  const common = {
    ...(headers.length === 0 ? {} : { headers }),
    ...(partition === undefined ? {} : { partition }),
  }
  if (json) return (line, number) => ({ ...common, ...recordOf(line, number) })
  if (format !== undefined) {
    const parse = inputFormat(format)
    return (line, number) => {
      const record = parse(line, number)
      const { key: ownKey, value } = record
      const nulled = { key: nullable(ownKey), value: nullable(value) }
      return { ...common, ...record, ...nulled }
    }
  }
  if (tombstone) return (line) => ({ ...common, key: line, value: null })
  const fixedKey = key === undefined ? null : Buffer.from(key)
  if (keySeparator === undefined) {
    return (line) => ({ ...common, key: fixedKey, value: nullable(line) })
  }
  const separator = unescaped(keySeparator)
  return (line) => {
    const split = splitKey(line, separator)
    return { ...common, key: nullable(split.key ?? fixedKey), value: nullable(split.value) }
  }

  function nullable(bytes: Buffer | null): Buffer | null {
    return options.null === true && bytes?.length === 0 ? null : bytes
  }
}
