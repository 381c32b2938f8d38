import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { apis } from '../../../protocol/apis/index.ts'
import { metadata, metadataOfNames } from '../../../protocol/apis/metadata.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import { Writer } from '../../../protocol/buffer/writer.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { MessageSchema } from '../../../protocol/schema/api.ts'
import type { Field, Fields, FieldType } from '../../../protocol/schema/fields.ts'
import { versionsIn } from '../../wire/support/definitions.ts'
import { randomMessage } from '../../wire/support/random-message.ts'
import { Random } from '../../wire/support/random.ts'
import { mutate, mutations } from './support/mutations.ts'

const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 2 ** 31)
const RUNS = 3_000

/** The same declaration without decoders by hand. */
function declaredOnly<F extends Fields>({ name, versions, flexible, fields }: MessageSchema<F>) {
  const range = `${versions.min}-${versions.max}` as const
  return new MessageSchema(
    name,
    range,
    flexible.max < flexible.min ? 'none' : `${flexible.min}+`,
    withoutReaders(fields),
  )
}

function withoutReaders(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]): [string, Field] => [
      name,
      { ...field, type: typeWithoutReaders(field.type) },
    ]),
  )
}

function typeWithoutReaders(type: FieldType): FieldType {
  if (type.kind === 'primitive') return type
  if (type.kind === 'struct') return { kind: 'struct', fields: withoutReaders(type.fields) }
  const { element } = type
  return {
    kind: 'array',
    element: typeof element === 'string' ? element : withoutReaders(element),
  }
}

function hasReader(fields: Fields): boolean {
  return Object.values(fields).some(({ type }) => {
    if (type.kind === 'primitive') return false
    if (type.kind === 'struct') return hasReader(type.fields)
    if (type.fast !== undefined) return true
    return typeof type.element !== 'string' && hasReader(type.element)
  })
}

const pairs = apis
  .filter(({ response }) => hasReader(response.fields))
  .flatMap(({ response }) => {
    const declared = declaredOnly(response)
    return versionsIn(response.versions).map((version) => ({ response, declared, version }))
  })

type Replacer = (key: string, value: unknown) => unknown

const withBigInts: Replacer = (_, value) => (typeof value === 'bigint' ? `${value}n` : value)

/** The text of what is decoded, with the order of the fields, or of the error. */
function textOf(
  message: MessageSchema<Fields>,
  version: number,
  bytes: Buffer,
  replacer = withBigInts,
): string {
  const reader = new Reader(bytes)
  reader.dropsUnknownFields = true
  try {
    const text = JSON.stringify(message.decode(reader, version), replacer)
    return `${text} to byte ${reader.offset}`
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.message
  }
}

it(`decoders by hand return the same objects and errors as the declarations, for damaged bytes too (SAMSA_SEED=${SEED})`, () => {
  expect(new Set(pairs.map(({ response }) => response.name)).size).toBeGreaterThanOrEqual(5)
  const seeds = fc.noBias(fc.nat(2 ** 31 - 1))
  const property = fc.property(seeds, mutations, (seed, changes) => {
    const { response, declared, version } = pairs[seed % pairs.length]!
    const writer = new Writer()
    declared.encode(writer, version, randomMessage(declared, version, new Random(seed)))
    const bytes = mutate(Buffer.concat(writer.finish()), changes)
    expect(textOf(response, version, bytes)).toBe(textOf(declared, version, bytes))
  })
  fc.assert(property, { seed: SEED, numRuns: RUNS })
})

it(`metadata without partitions has the same names, errors and end as with them, for damaged bytes too (SAMSA_SEED=${SEED})`, () => {
  const declared = declaredOnly(metadata.response)
  const versions = versionsIn(metadata.versions)
  const countsPartitions: Replacer = (key, value) =>
    key === 'partitions' && Array.isArray(value) ? value.length : withBigInts(key, value)
  const seeds = fc.noBias(fc.nat(2 ** 31 - 1))
  const property = fc.property(seeds, mutations, (seed, changes) => {
    const version = versions[seed % versions.length]!
    const writer = new Writer()
    declared.encode(writer, version, randomMessage(declared, version, new Random(seed)))
    const bytes = mutate(Buffer.concat(writer.finish()), changes)
    const [whole, named] = [metadata.response, metadataOfNames.response].map((response) =>
      textOf(response, version, bytes, countsPartitions),
    )
    expect(named).toBe(whole)
  })
  fc.assert(property, { seed: SEED, numRuns: 1_000 })
})
