import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestAuthority } from '../certificates.ts'
import type { SecureListener } from './server-properties.ts'
import { kafkaVersion } from './versions.ts'

/** The users of PLAIN. */
export const USER = { username: 'alice', password: 'alice-secret' } as const

export type TestMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'

export interface SecureOptions {
  readonly version: string
  readonly listeners: readonly SecureListener[]
  /** Issues the brokers' certificate, and those of clients; its folder holds the stores. */
  readonly authority: TestAuthority
  /** What the SASL listeners offer. Default: PLAIN. SCRAM is there from 0.10.2 on, OAUTHBEARER from 2.0. */
  readonly mechanisms?: readonly TestMechanism[]
  /** For `SSL`: SASL_SSL never asks for certificates. Default: none. */
  readonly clientAuth?: 'required' | 'requested' | 'none'
  /** Clients must log in again within this time (KIP-368, Kafka 2.2). Default: never. */
  readonly maxReauthMs?: number
}

/** For `startKafka`, beside the version. */
export interface SecureSettings {
  readonly secureListeners: readonly SecureListener[]
  readonly config: Readonly<Record<string, string>>
  readonly jvmArguments: readonly string[]
}

/**
 * What brokers with these listeners need. OAUTHBEARER takes unsigned tokens: see `unsecuredToken`. SCRAM's
 * users are in the cluster's metadata: send `scramUser` by AlterUserScramCredentials (2.7 and newer).
 */
export function secureSettings(options: SecureOptions): SecureSettings {
  const { listeners, mechanisms = ['PLAIN'] } = options
  const hasSasl = listeners.some((name) => name !== 'SSL')
  const hasTls = listeners.some((name) => name !== 'SASL_PLAINTEXT')
  // Up to 0.11 modules are in a file only; later each mechanism of a listener can have its own (KIP-103).
  const usesFile = kafkaVersion(options.version).logging === 'log4j'
  return {
    secureListeners: listeners,
    config: {
      ...(hasSasl ? saslConfig(mechanisms, usesFile ? [] : listeners) : {}),
      ...(hasTls ? tlsConfig(options) : {}),
      ...(options.maxReauthMs === undefined
        ? {}
        : { 'connections.max.reauth.ms': String(options.maxReauthMs) }),
    },
    jvmArguments: hasSasl && usesFile ? [loginFile(mechanisms, options.authority)] : [],
  }
}

const SECURITY = 'org.apache.kafka.common.security'
const SCRAM = `${SECURITY}.scram.ScramLoginModule required;`

const LOGIN_MODULES: Readonly<Record<TestMechanism, string>> = {
  PLAIN: `${SECURITY}.plain.PlainLoginModule required user_${USER.username}="${USER.password}";`,
  'SCRAM-SHA-256': SCRAM,
  'SCRAM-SHA-512': SCRAM,
  // The broker logs in to itself with it, without being configured to.
  OAUTHBEARER: `${SECURITY}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
}

function saslConfig(
  mechanisms: readonly TestMechanism[],
  listeners: readonly SecureListener[],
): Record<string, string> {
  const config: Record<string, string> = { 'sasl.enabled.mechanisms': mechanisms.join(',') }
  for (const listener of listeners.filter((name) => name !== 'SSL')) {
    for (const mechanism of mechanisms) {
      const key = `listener.name.${listener.toLowerCase()}.${mechanism.toLowerCase()}.sasl.jaas.config`
      config[key] = LOGIN_MODULES[mechanism]
    }
  }
  return config
}

function loginFile(mechanisms: readonly TestMechanism[], { folder }: TestAuthority): string {
  const file = join(folder, 'jaas.conf')
  const modules = new Set(mechanisms.map((mechanism) => LOGIN_MODULES[mechanism]))
  writeFileSync(file, `KafkaServer {\n${[...modules].join('\n')}\n};\n`)
  return `-Djava.security.auth.login.config=${file}`
}

const STORE_PASSWORD = 'changeit'

/** PKCS12, which all versions read; PEM is for 2.7 and newer. */
function tlsConfig({ authority, clientAuth = 'none' }: SecureOptions): Record<string, string> {
  const hosts = ['localhost', '127.0.0.1']
  const identity = authority.issue({ commonName: 'broker', hosts })
  return {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': authority.keyStore(identity, STORE_PASSWORD),
    'ssl.keystore.password': STORE_PASSWORD,
    'ssl.key.password': STORE_PASSWORD,
    'ssl.truststore.type': 'PKCS12',
    'ssl.truststore.location': authority.trustStore(STORE_PASSWORD),
    'ssl.truststore.password': STORE_PASSWORD,
    'ssl.client.auth': clientAuth,
  }
}

/** What brokers need to check ACLs. Clients of the listener without login may do everything. */
export function authorizerConfig(version: string): Readonly<Record<string, string>> {
  const isOld = kafkaVersion(version).namesHostAndPort
  const ofZooKeeper = isOld
    ? 'kafka.security.auth.SimpleAclAuthorizer'
    : 'kafka.security.authorizer.AclAuthorizer'
  return {
    'authorizer.class.name':
      kafkaVersion(version).coordination === 'kraft'
        ? 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
        : ofZooKeeper,
    'super.users': 'User:ANONYMOUS',
  }
}

/** What brokers need to give out delegation tokens. Up to 2.7 the key has another name (KIP-681). */
export function tokenConfig(version: string): Readonly<Record<string, string>> {
  const isOld = kafkaVersion(version).namesHostAndPort
  return { [`delegation.token.${isOld ? 'master' : 'secret'}.key`]: 'a key for tests' }
}

/** One entry of AlterUserScramCredentials' `upsertions`; a request may have one of each user only. */
export function scramUser(
  mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
  { username, password }: { username: string; password: string } = USER,
  iterations = 4096,
) {
  const salt = randomBytes(16)
  const [digest, size, type] =
    mechanism === 'SCRAM-SHA-256' ? (['sha256', 32, 1] as const) : (['sha512', 64, 2] as const)
  const saltedPassword = pbkdf2Sync(password, salt, iterations, size, digest)
  return { name: username, mechanism: type, iterations, salt, saltedPassword }
}

/** The same as brokers keep it in ZooKeeper, as the value of the mechanism in `/config/users/NAME`. */
export function zookeeperCredential({
  mechanism,
  iterations,
  salt,
  saltedPassword,
}: ReturnType<typeof scramUser>): string {
  const digest = mechanism === 1 ? 'sha256' : 'sha512'
  const keyed = (text: string) => createHmac(digest, saltedPassword).update(text).digest()
  const storedKey = createHash(digest).update(keyed('Client Key')).digest('base64')
  const serverKey = keyed('Server Key').toString('base64')
  const salted = `salt=${salt.toString('base64')},stored_key=${storedKey}`
  return `${salted},server_key=${serverKey},iterations=${iterations}`
}

/** A token that only a broker takes that asks for no signature. */
export function unsecuredToken(subject: string, lifetimeMs = 3_600_000): string {
  const now = Date.now() / 1000
  const claims = { sub: subject, iat: now, exp: now + lifetimeMs / 1000 }
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encoded({ alg: 'none' })}.${encoded(claims)}.`
}
