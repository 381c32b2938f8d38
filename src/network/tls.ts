import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls'
import { InvalidArgumentError } from '../errors.ts'
import { aBoolean, checkOptions, type Check } from '../options.ts'
import { codeOf, messageOf } from './node-error.ts'

export { explainTlsError } from './tls-errors.ts'

/** Text in PEM (`-----BEGIN …`), or the path of a file of it. */
export type Pem = string | Buffer

export interface TlsOptions {
  /** Authorities to trust instead of the system's. */
  readonly ca?: Pem | readonly Pem[]
  /** This client's certificate and those that lead to its authority, for brokers that ask for one. */
  readonly cert?: Pem | readonly Pem[]
  /** The certificate's private key. */
  readonly key?: Pem
  /** Opens an encrypted key. */
  readonly passphrase?: string
  /** The name to ask for and to find in the brokers' certificates, instead of each broker's host. */
  readonly servername?: string
  /** Takes a certificate of a trusted authority for any host: whoever has one can pose as a broker. */
  readonly dangerouslySkipHostnameCheck?: boolean
  /** Takes any certificate: encrypts, but whoever is in between can read and change everything. */
  readonly dangerouslyTrustAnyCertificate?: boolean
}

/** Options made ready once, for all connections. The key is in the context, out of sight. */
export interface PreparedTls {
  readonly secureContext: SecureContext
  readonly servername: string | undefined
  readonly checksHostname: boolean
  readonly trustsAnyCertificate: boolean
}

/** Older ones are broken (RFC 8996). Kafka has had 1.2 since it has had TLS. */
const MIN_VERSION = 'TLSv1.2'

/**
 * Reads the files and makes the context. Throws InvalidArgumentError that names the option and the file,
 * never what is in it.
 */
export function prepareTls(options: TlsOptions): PreparedTls {
  checkOptions<TlsOptions>('tls', options, {
    ca: isPem,
    cert: isPem,
    key: isPem,
    passphrase: isPem,
    servername: aHostName,
    dangerouslySkipHostnameCheck: aBoolean,
    dangerouslyTrustAnyCertificate: aBoolean,
  })
  const { ca, cert, key, passphrase } = options
  if (passphrase !== undefined && typeof passphrase !== 'string') {
    throw new InvalidArgumentError("tls: option 'passphrase' must be a string")
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new InvalidArgumentError("tls: options 'cert' and 'key' belong together: give both")
  }
  const pems = {
    ...(ca === undefined ? {} : { ca: readCertificates('ca', ca) }),
    ...(cert === undefined ? {} : { cert: readCertificates('cert', cert) }),
    ...(key === undefined ? {} : { key: readPem('key', key, 'PRIVATE KEY') }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  return {
    secureContext: contextOf(pems),
    servername: options.servername,
    checksHostname: options.dangerouslySkipHostnameCheck !== true,
    trustsAnyCertificate: options.dangerouslyTrustAnyCertificate === true,
  }
}

/** For `connect` of node:tls, beside where to connect to. The host is a broker's, a name or an address. */
export function tlsConnectOptions(tls: PreparedTls, host: string): ConnectionOptions {
  const name = tls.servername ?? withoutDot(host)
  return {
    secureContext: tls.secureContext,
    // What the certificate is checked against where there is no server name; with a socket, node does not
    // know otherwise. SNI has names only (RFC 6066).
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    // Said, so that NODE_TLS_REJECT_UNAUTHORIZED can't turn it off behind the application's back.
    rejectUnauthorized: !tls.trustsAnyCertificate,
    ...(tls.checksHostname ? {} : { checkServerIdentity: () => undefined }),
  }
}

/** Left to what reads it: what checkOptions finds wrong, it shows. */
const isPem: Check = () => undefined

const aHostName: Check = (value) =>
  typeof value === 'string' && value !== '' && isIP(value) === 0 ? undefined : 'must be a host name'

const withoutDot = (host: string): string => host.replace(/\.$/, '')

const CERTIFICATE = /-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]+-----END \1-----/g

function readCertificates(option: string, pems: Pem | readonly Pem[]): string {
  const all = isArray(pems) ? pems : [pems]
  if (all.length === 0) throw new InvalidArgumentError(`tls: option '${option}' is empty`)
  const text = all.map((pem) => readPem(option, pem, 'CERTIFICATE')).join('\n')
  const certificates = text.match(CERTIFICATE) ?? []
  try {
    // OpenSSL passes over authorities that it can't read, and then trusts nobody.
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

/** Array.isArray does not know readonly arrays. */
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

/** A key that has lost its first line: as a path it would stand in an error for all to read. */
const LOOKS_LIKE_A_KEY = /^[A-Za-z0-9+/=\s]{60,}$/

function readFile(option: string, path: string): string {
  if (LOOKS_LIKE_A_KEY.test(path) || path.includes('\n')) {
    throw new InvalidArgumentError(
      `tls: option '${option}' is neither PEM text, which starts with -----BEGIN, nor the path of a file`,
    )
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(`tls: option '${option}': cannot read it: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function contextOf(pems: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext({ ...pems, minVersion: MIN_VERSION })
  } catch (error) {
    const meaning = meaningOf(codeOf(error))
    const reason = meaning === undefined ? messageOf(error) : `${meaning} (${messageOf(error)})`
    throw new InvalidArgumentError(`tls: ${reason}`, { cause: error })
  }
}

/** OpenSSL's words are hard to make out. */
function meaningOf(code: string): string | undefined {
  if (/BAD_DECRYPT|BAD_PASSWORD_READ|MISSING_PASSPHRASE|INTERRUPTED_OR_CANCELLED/.test(code)) {
    return "the passphrase of option 'key' is wrong or missing"
  }
  if (/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/.test(code)) {
    return "option 'key' is not the key of option 'cert'"
  }
  if (code === 'ERR_OSSL_UNSUPPORTED') return "option 'key' cannot be read"
  return undefined
}
