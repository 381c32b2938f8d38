import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import {
  ATTRIBUTES,
  CONVENTIONS_VERSION,
  DURATION_BUCKETS,
  INSTRUMENTS,
  OPERATIONS,
  serverAttributes,
} from '../../../src/opentelemetry/conventions.ts'

interface Pinned {
  readonly version: string
  readonly attributes: readonly string[]
  readonly operationTypes: readonly string[]
  readonly metrics: Readonly<Record<string, unknown>>
  readonly durationBuckets: readonly number[]
}

const FILE = 'test/unit/opentelemetry/conventions-1.44.0.json'
const pinned = JSON.parse(readFileSync(FILE, 'utf8')) as Pinned

it('server.address has no brackets around an IPv6 address', () => {
  expect(serverAttributes('[::1]:9092')).toEqual({ 'server.address': '::1', 'server.port': 9092 })
  expect(serverAttributes('kafka:19092')).toEqual({
    'server.address': 'kafka',
    'server.port': 19_092,
  })
})

describe('the names that samsa/opentelemetry uses', () => {
  it('match the pinned version of the conventions', () => {
    expect(CONVENTIONS_VERSION).toBe(pinned.version)
    const unknown = Object.values(ATTRIBUTES).filter((name) => !pinned.attributes.includes(name))
    expect(unknown).toEqual([])
    expect(Object.values(INSTRUMENTS).sort()).toEqual(Object.keys(pinned.metrics).sort())
    const types = Object.values(OPERATIONS).map(({ type }) => type)
    expect(types.filter((type) => !pinned.operationTypes.includes(type))).toEqual([])
    expect(DURATION_BUCKETS).toEqual(pinned.durationBuckets)
  })
})
