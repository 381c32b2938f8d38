import { api, type RequestOf, type ResponseOf } from '../schema/api.ts'
import { array, int16, string } from '../schema/fields.ts'

/**
 * Selects a SASL mechanism. Raw tokens follow v0, and SaslAuthenticate requests follow v1
 * (KIP-152).
 */
export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: string('0+'),
  },
  response: {
    errorCode: int16('0+'),
    mechanisms: array('0+', 'string'),
  },
})

export type SaslHandshakeRequest = RequestOf<typeof saslHandshake>
export type SaslHandshakeResponse = ResponseOf<typeof saslHandshake>
