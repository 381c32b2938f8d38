import { TlsError, type TlsFailure } from '../errors.ts'
import { codeOf, messageOf } from './node-error.ts'

/** `about` describes the problem and follows the address; `detail` adds Node's own message. */
interface Meaning {
  readonly reason: TlsFailure
  readonly about: string
  readonly detail?: boolean
}

const NO_COMMON_PROTOCOL: Meaning = {
  reason: 'NO_COMMON_PROTOCOL',
  about:
    "has no TLS version or cipher in common with this client: see the broker's ssl.enabled.protocols",
}
const UNTRUSTED: Meaning = {
  reason: 'UNTRUSTED_CERTIFICATE',
  about: "has a certificate of an untrusted authority: set tls.ca to the authority's certificate",
  detail: true,
}
const IF_REJECTED =
  "check that tls.cert is of an authority in the broker's trust store, has not expired, and includes " +
  'the intermediate certificates'
const CLIENT_CERTIFICATE_REJECTED: Meaning = {
  reason: 'CLIENT_CERTIFICATE_REJECTED',
  about: `rejected this client's certificate: ${IF_REJECTED}`,
  detail: true,
}

/** By Node's error code. For unknown codes the message is Node's own. */
const MEANINGS: readonly (readonly [code: RegExp, meaning: Meaning])[] = [
  [
    /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    UNTRUSTED,
  ],
  [/^(?:UNABLE_TO_GET_ISSUER_CERT|CERT_UNTRUSTED|CERT_REJECTED|CERT_SIGNATURE_FAILURE)/, UNTRUSTED],
  [/^(?:INVALID_CA|INVALID_PURPOSE|CERT_CHAIN_TOO_LONG|PATH_LENGTH_EXCEEDED)$/, UNTRUSTED],
  [
    /^CERT_HAS_EXPIRED$/,
    {
      reason: 'CERTIFICATE_EXPIRED',
      about: "has a certificate, or an authority, that has expired (by this machine's clock)",
    },
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    {
      reason: 'CERTIFICATE_NOT_YET_VALID',
      about: "has a certificate that is not yet valid: check this machine's clock",
    },
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    {
      reason: 'HOSTNAME_MISMATCH',
      about:
        'has a certificate for other hosts: connect by a name in the certificate, or set tls.servername to it',
      detail: true,
    },
  ],
  [
    /ALERT_CERTIFICATE_REQUIRED/,
    {
      reason: 'CLIENT_CERTIFICATE_REQUIRED',
      about: 'requires a client certificate (ssl.client.auth=required): set tls.cert and tls.key',
    },
  ],
  [
    // Java also sends this alert if there is no certificate.
    /ALERT_BAD_CERTIFICATE$/,
    {
      reason: 'CLIENT_CERTIFICATE_REJECTED',
      about:
        `requires a client certificate (ssl.client.auth=required): set tls.cert and tls.key; ` +
        `if they are set, the broker rejects them: ${IF_REJECTED}`,
    },
  ],
  [
    /ALERT_(?:BAD_CERTIFICATE_|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|NO_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT)/,
    CLIENT_CERTIFICATE_REJECTED,
  ],
  [
    /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG/,
    {
      reason: 'NO_TLS',
      about: 'does not use TLS: check the port, and that its listener is SSL or SASL_SSL',
    },
  ],
  [
    /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY/,
    NO_COMMON_PROTOCOL,
  ],
  [
    // A general alert: brokers also send it if a client certificate is missing (TLS 1.2).
    /ALERT_HANDSHAKE_FAILURE/,
    {
      reason: 'NO_COMMON_PROTOCOL',
      about:
        'ended the TLS handshake: it requires a client certificate (tls.cert and tls.key), or has no TLS ' +
        'version or cipher in common with this client',
    },
  ],
  [
    /UNEXPECTED_MESSAGE|BAD_RECORD_MAC/,
    {
      reason: 'OTHER',
      about:
        'ended TLS with data that cannot be read, as older brokers do when a client certificate is ' +
        'missing or not accepted: see tls.cert and tls.key',
      detail: true,
    },
  ],
  [
    /^(?:ECONNRESET|EPIPE)$/,
    {
      reason: 'CONNECTION_LOST',
      about:
        'closed the connection in the TLS handshake: its listener is without TLS, or it refused the ' +
        "client's certificate, or it is stopping",
    },
  ],
]

/**
 * Explains an error of a TLS socket and what to do about it; undefined for other errors. In TLS 1.3 the broker rejects
 * the client's certificate after the handshake, as the connection's first error. ECONNRESET is then an ordinary error,
 * and is explained only if `inHandshake`.
 */
export function explainTlsError(
  error: unknown,
  address: string,
  inHandshake = true,
): TlsError | undefined {
  const code = codeOf(error) === 'EPROTO' ? codeOfProtocolError(error) : codeOf(error)
  const meaning = MEANINGS.find(([pattern]) => pattern.test(code))?.[1]
  if (meaning === undefined) {
    if (!/^ERR_(?:SSL|TLS)_/.test(code)) return undefined
    const about = `${address}: TLS failed: ${wordsOf(error)}`
    return new TlsError('OTHER', about, { broker: address, cause: error })
  }
  if (meaning.reason === 'CONNECTION_LOST' && !inHandshake) return undefined
  const detail = meaning.detail === true ? ` (${wordsOf(error)})` : ''
  const message = `${address} ${meaning.about}${detail}`
  return new TlsError(meaning.reason, message, { broker: address, cause: error })
}

/** Where Node has no code of its own, OpenSSL's reason is in the message: `…:wrong version number:…`. */
function codeOfProtocolError(error: unknown): string {
  return `ERR_SSL_${wordsOf(error).toUpperCase().replaceAll(' ', '_')}`
}

/** Returns the words of OpenSSL's `80BC…:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert …:file.c:1601:`. */
function wordsOf(error: unknown): string {
  const text = messageOf(error).trim()
  return /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(text)?.[1] ?? text
}
