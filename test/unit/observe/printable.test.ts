import { describe, expect, it } from '@jest/globals'
import { ErrorCode } from '../../../protocol/errors.ts'
import { BrokerError, NoBrokersAvailableError } from '../../../src/errors.ts'
import { printing, silentLogger } from '../../../src/observe/logger.ts'
import { printable, quoted } from '../../../src/observe/printable.ts'

/** Clears a terminal, begins a line of its own in a log, turns the direction of text around. */
const HOSTILE = 'ok\x1b[2J\r\n2026-01-01 ERROR forged\u202e\u2028\x9b31m'
// eslint-disable-next-line no-control-regex -- what must not be left
const DANGEROUS = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/

describe('text from a broker', () => {
  it('is displayed without control characters and line ends', () => {
    expect(printable(HOSTILE)).not.toMatch(DANGEROUS)
    expect(quoted(HOSTILE)).not.toMatch(DANGEROUS)
    expect(quoted('Grüße, 世界')).toBe("'Grüße, 世界'")
  })

  it('is escaped in the message of every error', () => {
    const refused = new BrokerError(ErrorCode.INVALID_CONFIG, 'a request', {}, HOSTILE)
    const unreachable = new NoBrokersAvailableError([
      { address: HOSTILE, error: new Error(HOSTILE) },
    ])
    for (const { message } of [refused, unreachable]) expect(message).not.toMatch(DANGEROUS)
  })

  it('does not fill a log: the message of an error is truncated', () => {
    const { message } = new BrokerError(ErrorCode.INVALID_CONFIG, 'x', {}, 'a'.repeat(1_000_000))
    expect(message.length).toBeLessThan(5_000)
  })

  it('is escaped in a logger', () => {
    const lines: string[] = []
    const logger = printing({ ...silentLogger, warn: (line) => void lines.push(line) })
    logger.warn(`connection to ${HOSTILE} lost`)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(DANGEROUS)
  })
})
