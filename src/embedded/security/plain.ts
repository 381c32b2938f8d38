import { OTHER_AUTHORIZATION_ID, SaslFailure, type SaslServerExchange } from './sasl-mechanism.ts'

/**
 * User name and password in plain text (RFC 4616), with the error messages of Kafka's
 * PlainSaslServer.
 */
export function plainExchange(passwords: ReadonlyMap<string, string>): SaslServerExchange {
  return {
    next(token) {
      const parts = token.toString().split('\0')
      if (parts.length !== 3) {
        // Kafka counts no further.
        const count = Math.min(parts.length, 4)
        throw refused(`Invalid SASL/PLAIN response: expected 3 tokens, got ${count}`)
      }
      const [authorizationId = '', username = '', password = ''] = parts
      if (username === '') throw refused('Authentication failed: username not specified')
      if (password === '') throw refused('Authentication failed: password not specified')
      if (passwords.get(username) !== password) {
        throw refused('Authentication failed: Invalid username or password')
      }
      if (authorizationId !== '' && authorizationId !== username) {
        throw refused(OTHER_AUTHORIZATION_ID)
      }
      const principal = `User:${username}`
      return { kind: 'done', token: Buffer.alloc(0), principal, lifetimeMs: undefined }
    },
  }
}

function refused(message: string): SaslFailure {
  return new SaslFailure(message, message)
}
