import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as samsa from '../../src/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { BrokerError, KafkaError } from '../../src/errors.ts'
import { hasRecovery } from '../../src/recovery.ts'

/** Errors of samsa/storm are no KafkaErrors. */
const APART = join('src', 'storm')

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (path === APART) return []
    if (entry.isDirectory()) return sources(path)
    return [readFileSync(path, 'utf8')]
  })
}

/** The types of codes that constructors of errors take. */
const UNIONS =
  /^export type (?:Connection|Authentication|ZooKeeper|EmbeddedCluster|Transaction)ErrorCode =((?:\n {2}[|/].*)+)/gm

/** Codes that are only ever thrown as retriable. */
const ALWAYS_RETRIABLE = [
  'CONNECTION_CLOSED',
  'CONNECTION_FAILED',
  'CONNECTION_TIMED_OUT',
  'DATA_FOLDER_IN_USE',
  'DELIVERY_TIMED_OUT',
  'MAX_POLL_INTERVAL_EXCEEDED',
  'NO_BROKERS_AVAILABLE',
  'PARTITION_OWNED',
  'PORT_IN_USE',
  'PRODUCER_QUEUE_FULL',
  'VERSION_CHANGED',
  'ZOOKEEPER_CONNECTION_LOST',
  'ZOOKEEPER_ERROR',
  'ZOOKEEPER_SESSION_EXPIRED',
  'ZOOKEEPER_UNREACHABLE',
]

describe('the recovery of an error', () => {
  it('is retry for every retriable broker error, and for no other', () => {
    for (const code of Object.values(ErrorCode)) {
      const error = new BrokerError(code, 'testing')
      expect(error.recovery === 'retry').toBe(error.retriable)
    }
  })

  it('follows from the code and from whether a retry can help', () => {
    expect(new KafkaError('CLOSED', '', false).recovery).toBe('recreate')
    expect(new KafkaError('PRODUCER_FENCED', '', false).recovery).toBe('recreate')
    expect(new KafkaError('UNKNOWN_MEMBER_ID', '', true).recovery).toBe('retry')
    // A retry would help by the code, but was made already.
    expect(new KafkaError('LEADER_NOT_AVAILABLE', '', false).recovery).toBe('abort')
    expect(new samsa.InvalidArgumentError('').recovery).toBe('fix-configuration')
    expect(new samsa.UnknownTopicError('', {}).recovery).toBe('fix-configuration')
  })

  it('is in the JSON of an error', () => {
    expect(JSON.parse(JSON.stringify(new samsa.ClosedError('client')))).toMatchObject({
      code: 'CLOSED',
      recovery: 'recreate',
    })
  })

  it('is known for every code that samsa gives to an error', () => {
    const codes = new Set<string>()
    for (const text of sources('src')) {
      const made = /(?:super|new KafkaError)\(\s*'([A-Z][A-Z_]{3,})',/g
      for (const [, code] of text.matchAll(made)) codes.add(code!)
      for (const [, union] of text.matchAll(UNIONS)) {
        for (const [, code] of union!.matchAll(/\| '([A-Z_]+)'/g)) codes.add(code!)
      }
    }
    expect(codes.size).toBeGreaterThan(35)
    const unknown = [...codes].filter((code) => !hasRecovery(code)).sort()
    expect(unknown.filter((code) => !ALWAYS_RETRIABLE.includes(code))).toEqual([])
  })
})
