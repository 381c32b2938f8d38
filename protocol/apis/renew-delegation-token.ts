import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { bytes, int16, int32, int64 } from '../schema/fields.ts'

/** Renews a delegation token. */
export const renewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: '0-2',
  flexible: '2+',
  request: {
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  },
  response: {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
})

export type RenewDelegationTokenRequest = RequestOf<typeof renewDelegationToken>
export type RenewDelegationTokenResponse = ResponseOf<typeof renewDelegationToken>
