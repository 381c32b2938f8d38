import { describe, expect, it } from '@jest/globals'
import {
  ATTRIBUTES,
  CONVENTIONS_VERSION,
  INSTRUMENTS,
  OPERATIONS,
  serverAttributes,
} from '../../../src/opentelemetry/conventions.ts'
import { CONVENTIONS, unknownInSpan } from '../../support/conventions.ts'

it('server.address has no brackets around an IPv6 address', () => {
  expect(serverAttributes('[::1]:9092')).toEqual({ 'server.address': '::1', 'server.port': 9092 })
  expect(serverAttributes('kafka:19092')).toEqual({
    'server.address': 'kafka',
    'server.port': 19_092,
  })
})

describe('the names that samsa/opentelemetry uses', () => {
  it('are in the model of the pinned version of the conventions', () => {
    expect(CONVENTIONS_VERSION).toBe(CONVENTIONS.version)
    const unknown = Object.values(ATTRIBUTES).filter((name) => !(name in CONVENTIONS.attributes))
    expect(unknown).toEqual([])
    expect(Object.values(INSTRUMENTS).sort()).toEqual(Object.keys(CONVENTIONS.metrics).sort())
    const types = Object.values(OPERATIONS).map(({ type }) => type)
    expect(types.filter((type) => !CONVENTIONS.operationTypes.includes(type))).toEqual([])
    expect(CONVENTIONS.systems).toContain('kafka')
  })

  it('are compared with the model, which has no attribute, kind or name that is not in it', () => {
    const poll = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'poll',
      'messaging.operation.type': 'receive',
      'messaging.destination.name': 'orders',
    }
    expect(unknownInSpan('CLIENT', 'poll orders', poll)).toEqual([])
    expect(unknownInSpan('CONSUMER', 'poll orders', poll)).toHaveLength(1)
    expect(unknownInSpan('CLIENT', 'orders poll', poll)).toEqual(['name orders poll'])
    const old = { ...poll, 'messaging.kafka.destination.partition': '0' }
    expect(unknownInSpan('CLIENT', 'poll orders', old)).toEqual([
      'messaging.kafka.destination.partition',
    ])
    const text = { ...poll, 'server.port': '9092' }
    expect(unknownInSpan('CLIENT', 'poll orders', text)).toEqual(['type of server.port'])
  })
})
