import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls'
import { InvalidArgumentError } from '../errors.ts'
import { aBoolean, checkOptions, type Check } from '../options.ts'

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
    ...(ca === undefined ? {} : { ca: readPems('ca', ca, 'CERTIFICATE') }),
    ...(cert === undefined ? {} : { cert: readPems('cert', cert, 'CERTIFICATE') }),
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

function readPems(option: string, pems: Pem | readonly Pem[], label: string): string {
  const all = isArray(pems) ? pems : [pems]
  if (all.length === 0) throw new InvalidArgumentError(`tls: option '${option}' is empty`)
  return all.map((pem) => readPem(option, pem, label)).join('\n')
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

function readFile(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(`tls: option '${option}': cannot read it: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** OpenSSL's words are hard to make out. */
const PROBLEMS: readonly (readonly [code: RegExp, meaning: string])[] = [
  [/BAD_DECRYPT|PASSWORD_READ|MISSING_PASSPHRASE|INTERRUPTED_OR_CANCELLED/, 'the passphrase is wrong or missing'],
  [/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/, "the key is not that of the certificate"],
]

function contextOf(pems: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext({ ...pems, minVersion: MIN_VERSION })
  } catch (error) {
    const text = `${codeOf(error)} ${messageOf(error)}`
    const known = PROBLEMS.find(([code]) => code.test(text.toUpperCase().replaceAll(' ', '_')))
    const reason = known === undefined ? messageOf(error) : `${known[1]} (${messageOf(error)})`
    throw new InvalidArgumentError(`tls: cert, key or ca cannot be used: ${reason}`, {
      cause: error,
    })
  }
}
