/**
 * Converts the settings of the Java client and of librdkafka to the options of a KafkaClient. Both
 * spellings of a setting are known, so that a file of another program works here unchanged.
 */
import { UsageError } from './failure.ts'
import { first, type Properties } from './properties.ts'
import { saslOf, type PasswordSource } from './sasl-properties.ts'
import type { KafkaClientOptions, TlsOptions } from '../index.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export const DEFAULT_HOSTS = '127.0.0.1:9092'

/** Settings of other programs that do not change what the command does. */
const WITHOUT_EFFECT =
  /^(?:key|value)\.(?:de)?serializer$|^(?:acks|retries|linger\.ms|batch\.size|buffer\.memory|compression\.type|group\.id|auto\.offset\.reset|enable\.auto\.commit|isolation\.level|max\.poll\.records|session\.timeout\.ms|log_level|debug|api\.version\.request|broker\.version\.fallback|enable\.partition\.eof|statistics\.interval\.ms|queue\.buffering\..*|batch\.num\.messages)$/

const KNOWN = new Set([
  'bootstrap.servers',
  'metadata.broker.list',
  'client.id',
  'client.rack',
  'client.dns.lookup',
  'security.protocol',
  'sasl.mechanism',
  'sasl.mechanisms',
  'sasl.username',
  'sasl.password',
  'sasl.jaas.config',
  'sasl.login.token',
  'sasl.oauthbearer.method',
  'sasl.oauthbearer.client.id',
  'sasl.oauthbearer.client.secret',
  'sasl.oauthbearer.scope',
  'sasl.oauthbearer.token.endpoint.url',
  'aws.region',
  'ssl.ca.location',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.key.password',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.certificates',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.endpoint.identification.algorithm',
  'enable.ssl.certificate.verification',
  'request.timeout.ms',
  'socket.timeout.ms',
  'socket.connection.setup.timeout.ms',
  'default.api.timeout.ms',
  'connections.max.idle.ms',
  'metadata.max.age.ms',
  'retry.backoff.ms',
  'reconnect.backoff.ms',
  'reconnect.backoff.max.ms',
])

/**
 * Returns the properties that the command does not know: a typing error, or a setting that it does
 * not have.
 */
export function unknownProperties(properties: Properties): readonly string[] {
  return [...properties.keys()].filter((key) => !KNOWN.has(key) && !WITHOUT_EFFECT.test(key))
}

/** Every property that the command knows. */
export function knownProperties(): readonly string[] {
  return [...KNOWN].sort()
}

/**
 * PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; any other value is an invalid setting, which is
 * returned unchanged.
 */
export function protocolOf(properties: Properties): string {
  return (properties.get('security.protocol') ?? guessProtocol(properties)).toUpperCase()
}

/** Throws UsageError that names the property. */
export async function clientOptionsOf(
  properties: Properties,
  askPassword: PasswordSource,
): Promise<KafkaClientOptions> {
  const protocol = protocolOf(properties)
  if (!/^(?:PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$/.test(protocol)) {
    throw new UsageError(
      `security.protocol must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, not '${protocol}'`,
    )
  }
  const options: Mutable<KafkaClientOptions> = {
    hosts: first(properties, 'bootstrap.servers', 'metadata.broker.list') ?? DEFAULT_HOSTS,
    clientId: properties.get('client.id') ?? 'samsa-cli',
    operationTimeoutMs: milliseconds(properties, 'default.api.timeout.ms') ?? 30_000,
  }
  if (protocol.endsWith('SSL')) options.tls = tlsOf(properties)
  if (protocol.startsWith('SASL')) options.sasl = await saslOf(properties, askPassword)
  setNumber(options, 'socketTimeoutMs', properties, 'request.timeout.ms', 'socket.timeout.ms')
  setNumber(options, 'connectTimeoutMs', properties, 'socket.connection.setup.timeout.ms')
  setNumber(options, 'connectionsMaxIdleMs', properties, 'connections.max.idle.ms')
  setNumber(options, 'metadataMaxAgeMs', properties, 'metadata.max.age.ms')
  setNumber(options, 'retryBackoffMs', properties, 'retry.backoff.ms')
  setNumber(options, 'reconnectBackoffMs', properties, 'reconnect.backoff.ms')
  setNumber(options, 'reconnectBackoffMaxMs', properties, 'reconnect.backoff.max.ms')
  const lookup = properties.get('client.dns.lookup')
  if (lookup === 'resolve_canonical_bootstrap_servers_only') options.dnsLookup = lookup
  return options
}

/** Without `security.protocol`, the other settings determine it. */
function guessProtocol(properties: Properties): string {
  const hasSasl = [...properties.keys()].some((key) => key.startsWith('sasl.'))
  const hasTls = [...properties.keys()].some((key) => key.startsWith('ssl.'))
  return hasSasl ? (hasTls ? 'SASL_SSL' : 'SASL_PLAINTEXT') : hasTls ? 'SSL' : 'PLAINTEXT'
}

function tlsOf(properties: Properties): TlsOptions {
  const tls: Mutable<TlsOptions> = {}
  for (const kind of ['truststore', 'keystore']) {
    const type = properties.get(`ssl.${kind}.type`)?.toUpperCase()
    if (properties.has(`ssl.${kind}.location`) && type !== 'PEM') {
      throw new UsageError(
        `ssl.${kind}.location is a Java ${kind}, which this command cannot read: convert it to PEM ` +
          `(keytool -exportcert -rfc, or openssl pkcs12) and set ssl.${kind}.type=PEM`,
      )
    }
  }
  const ca = first(
    properties,
    'ssl.ca.location',
    'ssl.truststore.certificates',
    'ssl.truststore.location',
  )
  const cert = first(
    properties,
    'ssl.certificate.location',
    'ssl.keystore.certificate.chain',
    'ssl.keystore.location',
  )
  const key = first(properties, 'ssl.key.location', 'ssl.keystore.key', 'ssl.keystore.location')
  const passphrase = properties.get('ssl.key.password')
  if (cert !== undefined) tls.cert = cert
  if (key !== undefined) tls.key = key
  if (key !== undefined && passphrase !== undefined) tls.passphrase = passphrase
  // In this case librdkafka ignores the other properties of certificate checks.
  if (properties.get('enable.ssl.certificate.verification') === 'false') {
    tls.dangerouslyTrustAnyCertificate = true
    return tls
  }
  // librdkafka's name for the system's authorities.
  if (ca !== undefined && ca !== 'probe') tls.ca = ca
  const algorithm = properties.get('ssl.endpoint.identification.algorithm')
  if (algorithm === '' || algorithm === 'none') tls.dangerouslySkipHostnameCheck = true
  return tls
}

type DurationOption =
  | 'socketTimeoutMs'
  | 'connectTimeoutMs'
  | 'connectionsMaxIdleMs'
  | 'metadataMaxAgeMs'
  | 'retryBackoffMs'
  | 'reconnectBackoffMs'
  | 'reconnectBackoffMaxMs'

function setNumber(
  options: Mutable<KafkaClientOptions>,
  option: DurationOption,
  properties: Properties,
  ...keys: readonly string[]
): void {
  const value = milliseconds(properties, ...keys)
  if (value !== undefined) options[option] = value
}

function milliseconds(properties: Properties, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const text = properties.get(key)
    if (text === undefined) continue
    if (!/^[1-9]\d{0,9}$/.test(text)) {
      throw new UsageError(`${key} must be a number of milliseconds from 1, not '${text}'`)
    }
    return Number(text)
  }
  return undefined
}
