import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { bytes, int16, int64, string } from '../schema/fields.ts'

/**
 * Performs one step of a SASL exchange (KIP-152); from v1 on it returns the session's lifetime
 * (KIP-368).
 */
export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  flexible: '2+',
  request: {
    authBytes: bytes('0+'),
  },
  response: {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  },
})

export type SaslAuthenticateRequest = RequestOf<typeof saslAuthenticate>
export type SaslAuthenticateResponse = ResponseOf<typeof saslAuthenticate>
