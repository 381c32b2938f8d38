/** Strict parsers of the messages that a broker sends in a SCRAM exchange (RFC 5802, section 7). */

export class ScramMessageError extends Error {}

export type ServerFirst = { error: string } | { nonce: string; salt: Buffer; iterations: number }
export type ServerFinal = { error: string } | { signature: Buffer }

const ERROR = /^e=([^,]+)/
/** The nonce is printable and contains no comma. Extensions after the iterations are ignored. */
const FIRST = /^r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([1-9][0-9]{0,9})(?:,|$)/
const FINAL = /^v=([^,]+)(?:,|$)/

export function readServerFirst(message: Buffer): ServerFirst {
  const text = message.toString()
  const error = ERROR.exec(text)?.[1]
  if (error !== undefined) return { error }
  if (text.startsWith('m=')) {
    throw new ScramMessageError('it requires an extension that is not supported')
  }
  const [, nonce, salt, iterations] = FIRST.exec(text) ?? []
  if (nonce === undefined || salt === undefined || iterations === undefined) {
    throw new ScramMessageError('its first message has no nonce, salt and iterations')
  }
  return { nonce, salt: fromBase64(salt, 'salt'), iterations: Number(iterations) }
}

export function readServerFinal(message: Buffer): ServerFinal {
  const text = message.toString()
  const error = ERROR.exec(text)?.[1]
  if (error !== undefined) return { error }
  const signature = FINAL.exec(text)?.[1]
  if (signature === undefined) throw new ScramMessageError('its last message has no signature')
  return { signature: fromBase64(signature, 'signature') }
}

/** Throws for invalid base64, which Buffer.from would skip. */
function fromBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0 || bytes.toString('base64') !== text) {
    throw new ScramMessageError(`its ${what} is not base64`)
  }
  return bytes
}
