import type { ConnectionOptions, SecureContext, SecureContextOptions } from 'node:tls'
import { cryptoModule, fsModule, netModule, tlsModule } from '../builtins.ts'
import { InvalidArgumentError } from '../errors.ts'
import { readOptions, type OptionTable } from '../option-table.ts'
import { aBoolean, aString, concealed, type Check } from '../options.ts'
import { codeOf, messageOf } from './node-error.ts'

export { explainTlsError } from './tls-errors.ts'

/** Text in PEM (`-----BEGIN …`), or the path of a PEM file. */
export type Pem = string | Buffer

/** TLS to the brokers. `TLS_OPTIONS` has the checks and defaults. */
export interface TlsOptions {
  /**
   * Certificates of the authorities to trust instead of the system's. Refused with `dangerouslyTrustAnyCertificate`.
   * Default: the system's.
   */
  readonly ca?: Pem | readonly Pem[]
  /** This client's certificate and the chain to its authority, for brokers that request one. Default: none. */
  readonly cert?: Pem | readonly Pem[]
  /** The private key of `cert`. Needs `cert`, and `cert` needs it. Default: none. */
  readonly key?: Pem
  /** The passphrase of an encrypted `key`. Refused without a `key`. Default: none. */
  readonly passphrase?: string
  /** The name to request (SNI) and to require in the brokers' certificates. Default: each broker's host. */
  readonly servername?: string
  /**
   * Accepts a certificate of a trusted authority for any host: everyone who has such a certificate can pose as a broker.
   * Refused with `dangerouslyTrustAnyCertificate`. Default: false.
   */
  readonly dangerouslySkipHostnameCheck?: boolean
  /**
   * Accepts any certificate: the connection is encrypted, but everyone between the client and the broker can read and
   * change everything. Default: false.
   */
  readonly dangerouslyTrustAnyCertificate?: boolean
}

/** The prepared options for all connections. The key is in the context, where `inspect` does not show it. */
export interface PreparedTls {
  readonly secureContext: SecureContext
  readonly servername: string | undefined
  readonly checksHostname: boolean
  readonly trustsAnyCertificate: boolean
}

/** The reader of the option checks it, because the errors of checkOptions contain the value. */
const isPem: Check = () => undefined

const aHostName: Check<string> = (value) =>
  typeof value === 'string' && value !== '' && netModule.isIP(value) === 0
    ? undefined
    : 'must be a host name'

const trustsAny = ({ dangerouslyTrustAnyCertificate }: TlsOptions) =>
  dangerouslyTrustAnyCertificate === true ? 'with dangerouslyTrustAnyCertificate' : undefined

/** The checks and defaults of `TlsOptions`, in the order of the documents. */
export const TLS_OPTIONS = {
  ca: { check: isPem, defaultText: "the system's", noEffect: trustsAny },
  cert: { check: isPem, defaultText: 'none' },
  key: { check: isPem, defaultText: 'none' },
  passphrase: {
    check: concealed(aString),
    defaultText: 'none',
    noEffect: ({ key }) => (key === undefined ? 'without a key' : undefined),
  },
  servername: { check: aHostName, defaultText: "each broker's host" },
  dangerouslySkipHostnameCheck: { check: aBoolean, default: false, noEffect: trustsAny },
  dangerouslyTrustAnyCertificate: { check: aBoolean, default: false },
} as const satisfies OptionTable<TlsOptions>

/** Older versions are broken (RFC 8996). Kafka has supported TLS 1.2 since it has supported TLS. */
const MIN_VERSION = 'TLSv1.2'

/**
 * Reads the files and creates the context. Throws InvalidArgumentError that names the option and the file, never the
 * contents.
 */
export function prepareTls(options: TlsOptions): PreparedTls {
  const settings = readOptions('tls', options, TLS_OPTIONS)
  const { ca, cert, key, passphrase } = options
  if ((cert === undefined) !== (key === undefined)) {
    throw new InvalidArgumentError("tls: options 'cert' and 'key' belong together: set both")
  }
  const pems = {
    ...(ca === undefined ? {} : { ca: readCertificates('ca', ca) }),
    ...(cert === undefined ? {} : { cert: readCertificates('cert', cert) }),
    ...(key === undefined ? {} : { key: readPem('key', key, 'PRIVATE KEY') }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  return {
    secureContext: contextOf(pems),
    servername: settings.servername,
    checksHostname: !settings.dangerouslySkipHostnameCheck,
    trustsAnyCertificate: settings.dangerouslyTrustAnyCertificate,
  }
}

/**
 * The TLS options of node:tls's `connect`, in addition to the address. The host is that of a broker, a name or an
 * address.
 */
export function tlsConnectOptions(tls: PreparedTls, host: string): ConnectionOptions {
  const name = tls.servername ?? withoutDot(host)
  return {
    secureContext: tls.secureContext,
    // The certificate is checked against this if there is no server name; with a socket, Node does not know the host.
    // SNI supports names only (RFC 6066).
    host: name,
    ...(netModule.isIP(name) === 0 ? { servername: name } : {}),
    // Set explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect.
    rejectUnauthorized: !tls.trustsAnyCertificate,
    ...(tls.checksHostname ? {} : { checkServerIdentity: () => undefined }),
  }
}

const withoutDot = (host: string): string => host.replace(/\.$/, '')

const CERTIFICATE = /-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]+-----END \1-----/g

function readCertificates(option: string, pems: Pem | readonly Pem[]): string {
  const all = isArray(pems) ? pems : [pems]
  if (all.length === 0) throw new InvalidArgumentError(`tls: option '${option}' is empty`)
  const text = all.map((pem) => readPem(option, pem, 'CERTIFICATE')).join('\n')
  const certificates = text.match(CERTIFICATE) ?? []
  const { X509Certificate } = cryptoModule()
  try {
    // OpenSSL ignores authorities that it cannot read, and then trusts no certificate.
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch (error) {
    throw damaged(option, messageOf(error), error)
  }
  if (certificates.length === 0) throw damaged(option, 'no end of it')
  return text
}

function damaged(option: string, why: string, cause?: unknown): InvalidArgumentError {
  const what = `tls: option '${option}': a certificate cannot be read: ${why}`
  return new InvalidArgumentError(what, { cause })
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(pems: Pem | readonly Pem[]): pems is readonly Pem[] {
  return Array.isArray(pems)
}

function readPem(option: string, pem: Pem, label: string): string {
  const given: unknown = pem
  if (!Buffer.isBuffer(given) && (typeof given !== 'string' || given === '')) {
    throw new InvalidArgumentError(`tls: option '${option}' must be PEM text or the path of a file`)
  }
  const isText = Buffer.isBuffer(given) || given.includes('-----BEGIN')
  const text = isText ? given.toString() : readFile(option, given)
  if (text.includes(`${label}-----`)) return text
  const where = isText ? 'the text given' : given
  throw new InvalidArgumentError(
    `tls: option '${option}': ${where} holds no ${label} in PEM (-----BEGIN …); ` +
      'openssl and keytool can convert other formats',
  )
}

/** A key without its first line: treated as a path, it would appear in an error. */
const LOOKS_LIKE_A_KEY = /^[A-Za-z0-9+/=\s]{60,}$/

function readFile(option: string, path: string): string {
  if (LOOKS_LIKE_A_KEY.test(path) || path.includes('\n')) {
    throw new InvalidArgumentError(
      `tls: option '${option}' is neither PEM text, which starts with -----BEGIN, nor the path of a file`,
    )
  }
  try {
    return fsModule().readFileSync(path, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(`tls: option '${option}': cannot read it: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function contextOf(pems: SecureContextOptions): SecureContext {
  try {
    return tlsModule().createSecureContext({ ...pems, minVersion: MIN_VERSION })
  } catch (error) {
    const meaning = meaningOf(codeOf(error), isEncrypted(pems.key))
    const reason = meaning === undefined ? messageOf(error) : `${meaning} (${messageOf(error)})`
    throw new InvalidArgumentError(`tls: ${reason}`, { cause: error })
  }
}

/** PKCS #8 has a label of its own for encrypted keys; the older formats have a header (RFC 1421). */
const ENCRYPTED_KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m

const isEncrypted = (key: unknown): boolean => typeof key === 'string' && ENCRYPTED_KEY.test(key)

/** OpenSSL's messages are hard to understand. */
function meaningOf(code: string, encrypted: boolean): string | undefined {
  // One wrong passphrase in about 256 decrypts to valid padding by chance: OpenSSL then fails to decode the key.
  const isDecryptedWrongly = encrypted && code === 'ERR_OSSL_UNSUPPORTED'
  if (
    isDecryptedWrongly ||
    /BAD_DECRYPT|BAD_PASSWORD_READ|MISSING_PASSPHRASE|INTERRUPTED_OR_CANCELLED/.test(code)
  ) {
    return "the passphrase of option 'key' is wrong or missing"
  }
  if (/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/.test(code)) {
    return "option 'key' is not the key of option 'cert'"
  }
  if (code === 'ERR_OSSL_UNSUPPORTED') return "option 'key' cannot be read"
  return undefined
}
