import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { bytes, int16, int32, int64 } from '../schema/fields.ts'

/** Changes the expiry time of a delegation token, or deletes it. */
export const expireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: '0-2',
  flexible: '2+',
  request: {
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  },
  response: {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
})

export type ExpireDelegationTokenRequest = RequestOf<typeof expireDelegationToken>
export type ExpireDelegationTokenResponse = ResponseOf<typeof expireDelegationToken>
