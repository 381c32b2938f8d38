import { describe, expect, it } from '@jest/globals'
import type { Compression } from '../../../protocol/compression/index.ts'
import { UnsupportedVersionError } from '../../../src/errors.ts'
import { BrokerCapabilities } from '../../../src/producer/intake/broker-capabilities.ts'

const capabilities = (produceVersion: number) =>
  new BrokerCapabilities(produceVersion, 'kafka:9092')
const compressedBy = (compression: Compression) => ({
  compression,
  idempotent: false,
})

/** What needs a version of Kafka, with the first version of Produce of this Kafka. */
const NEEDS = [
  {
    what: 'a message with a timestamp',
    since: '0.10',
    first: 2,
    check: (of: BrokerCapabilities) => of.checkTimestamps(),
  },
  {
    what: 'a message with headers',
    since: '0.11',
    first: 3,
    check: (of: BrokerCapabilities) => of.checkHeaders(),
  },
  {
    what: 'compression with zstd',
    since: '2.1',
    first: 7,
    check: (of: BrokerCapabilities) => of.check(compressedBy('zstd')),
  },
]

describe.each(NEEDS)('the check of $what', ({ what, since, first, check }) => {
  it(`accepts a broker of Kafka ${since}, which has Produce v${first}`, () => {
    expect(() => check(capabilities(first))).not.toThrow()
    expect(() => check(capabilities(first + 1))).not.toThrow()
  })

  it(`refuses a broker whose newest version of Produce is v${first - 1}`, () => {
    const refused = new UnsupportedVersionError(
      `${what} requires Kafka ${since} or newer, but kafka:9092 is older`,
      { broker: 'kafka:9092' },
    )
    expect(() => check(capabilities(first - 1))).toThrow(refused)
    expect(() => check(capabilities(0))).toThrow(refused)
  })
})

it.each(['none', 'gzip', 'snappy', 'lz4'] as const)(
  'the check of the compression %s accepts the oldest brokers',
  (compression) => {
    expect(() => capabilities(0).check(compressedBy(compression))).not.toThrow()
  },
)
