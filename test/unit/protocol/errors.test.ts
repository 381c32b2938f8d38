import { describe, expect, it } from '@jest/globals'
import { describeError, ErrorCode, type ErrorName } from '../../../protocol/errors.ts'

describe("Kafka's error codes", () => {
  it('have names, for the type checker too', () => {
    const code: 6 = ErrorCode.NOT_LEADER_OR_FOLLOWER
    const name: ErrorName = 'NOT_LEADER_OR_FOLLOWER'
    expect(describeError(code).name).toBe(name)
    expect(ErrorCode.UNKNOWN_SERVER_ERROR).toBe(-1)
    expect(ErrorCode.NONE).toBe(0)
  })

  it('are all present from -1 to 136, each with a meaning', () => {
    const codes = Object.values(ErrorCode).sort((a, b) => a - b)
    expect(codes).toEqual(Array.from({ length: 138 }, (_, index) => index - 1))
    for (const code of codes) expect(describeError(code).meaning).toMatch(/^[A-Z].+\.$/)
    expect(new Set(codes.map((code) => describeError(code).meaning)).size).toBe(codes.length)
  })

  it('state whether to retry, and whether to refresh metadata first', () => {
    const { NOT_LEADER_OR_FOLLOWER, COORDINATOR_NOT_AVAILABLE, TOPIC_AUTHORIZATION_FAILED } =
      ErrorCode
    const moved = { retriable: true, invalidMetadata: true }
    expect(describeError(NOT_LEADER_OR_FOLLOWER)).toMatchObject(moved)
    const busy = { retriable: true, invalidMetadata: false }
    expect(describeError(COORDINATOR_NOT_AVAILABLE)).toMatchObject(busy)
    const refused = { retriable: false, invalidMetadata: false }
    expect(describeError(TOPIC_AUTHORIZATION_FAILED)).toMatchObject(refused)
  })

  it('state what to do: retry exactly when Kafka calls them retriable', () => {
    const recoveries = ['retry', 'abort', 'recreate', 'fix-configuration']
    for (const code of Object.values(ErrorCode)) {
      const { recovery, retriable } = describeError(code)
      expect(recoveries).toContain(recovery)
      expect(recovery === 'retry').toBe(retriable)
    }
    const recoveryOf = (name: ErrorName) => describeError(ErrorCode[name]).recovery
    expect(recoveryOf('CONCURRENT_TRANSACTIONS')).toBe('retry')
    expect(recoveryOf('TRANSACTION_ABORTABLE')).toBe('abort')
    expect(recoveryOf('PRODUCER_FENCED')).toBe('recreate')
    expect(recoveryOf('INVALID_TRANSACTION_TIMEOUT')).toBe('fix-configuration')
  })

  it.each([137, 32767, -2])('that are unknown (%d) are described as such', (code) => {
    expect(describeError(code)).toEqual({
      code,
      name: `UNKNOWN_CODE_${code}`,
      retriable: false,
      invalidMetadata: false,
      recovery: 'abort',
      meaning: 'This client does not know the error code: it is newer than the client.',
    })
  })
})
