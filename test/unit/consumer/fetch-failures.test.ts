import { describe, expect, it } from '@jest/globals'
import { ErrorCode } from '../../../protocol/errors.ts'
import {
  isOfConnection,
  isStaleEpoch,
  isUnknownTopic,
} from '../../../src/consumer/fetch/failures.ts'
import {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  SocketDisconnectedError,
  TlsError,
} from '../../../src/errors.ts'

describe('a failed fetch', () => {
  it.each(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'INCONSISTENT_TOPIC_ID'] as const)(
    'denies the partition with %s',
    (name) => {
      expect(isUnknownTopic(ErrorCode[name])).toBe(true)
    },
  )

  it.each(['NONE', 'NOT_LEADER_OR_FOLLOWER', 'TOPIC_AUTHORIZATION_FAILED'] as const)(
    'does not deny the partition with %s',
    (name) => expect(isUnknownTopic(ErrorCode[name])).toBe(false),
  )

  it('has a stale epoch only with UNKNOWN_LEADER_EPOCH', () => {
    expect(isStaleEpoch(new BrokerError(ErrorCode.UNKNOWN_LEADER_EPOCH, 'fetching'))).toBe(true)
    expect(isStaleEpoch(new BrokerError(ErrorCode.FENCED_LEADER_EPOCH, 'fetching'))).toBe(false)
    expect(isStaleEpoch(new ConnectionError('CONNECTION_FAILED', 'no route', {}))).toBe(false)
  })

  it('says nothing of the partition if the connection, TLS or the login failed', () => {
    const failures = [
      new ConnectionError('CONNECTION_FAILED', 'no route', {}),
      new SocketDisconnectedError('gone', {}),
      new AuthenticationError('SASL_AUTHENTICATION_FAILED', 'refused', { mechanism: 'PLAIN' }),
      new TlsError('CERTIFICATE_EXPIRED', 'expired', {}),
    ]
    expect(failures.map(isOfConnection)).toEqual([true, true, true, true])
    const answered = new BrokerError(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'fetching')
    expect(isOfConnection(answered)).toBe(false)
  })
})
