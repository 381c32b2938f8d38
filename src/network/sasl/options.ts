import { InvalidArgumentError } from '../../errors.ts'
import { checkTable, readOptions, type OptionTable } from '../../option-table.ts'
import {
  aBoolean,
  aDurationMs,
  aFunction,
  anArrayOf,
  anInteger,
  aString,
  aTextTable,
  type Check,
  checkOptions,
  concealed,
  either,
  oneOf,
} from '../../options.ts'
import { AwsMskIamMechanism, type AwsMskIamOptions } from './aws-msk-iam.ts'
import type { SaslMechanism } from './mechanism.ts'
import { isObject, OAuthBearerMechanism } from './oauthbearer.ts'
import type { TokenProvider } from './oauthbearer-token.ts'
import { checkTokenEndpoint, requestToken, type OidcOptions } from './oidc.ts'
import { PlainMechanism, type PlainOptions } from './plain.ts'
import { ScramMechanism, type ScramOptions } from './scram.ts'
import { checkSecret, unfit } from './secret.ts'
import type { AwsCredentials } from './sigv4.ts'

/** Login with OAUTHBEARER, with tokens of a function or of an OpenID provider. */
export type OAuthBearerOptions =
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: TokenProvider; readonly oidc?: undefined }
  | { readonly mechanism: 'OAUTHBEARER'; readonly oidc: OidcOptions; readonly token?: undefined }

/** How the client logs in to the brokers: with one of Kafka's mechanisms, or with one of your own. */
export type SaslOptions =
  PlainOptions | ScramOptions | OAuthBearerOptions | AwsMskIamOptions | SaslMechanism

/** `mechanism` has already selected the function that checks the other options. */
const isKnown: Check = () => undefined

/** checkSecret checks it instead, because the errors of checkOptions contain the value. */
const isSecret: Check = () => undefined

const aUsername: Check<string> = (value) => aString(value) ?? unfit(String(value))

const aPem: Check<string | Buffer> = (value) =>
  (typeof value === 'string' || Buffer.isBuffer(value)) && value.includes('-----BEGIN')
    ? undefined
    : 'must be PEM text'

/** The checks and defaults of `PlainOptions`, in the order of the documents. */
export const PLAIN_OPTIONS = {
  mechanism: { check: isKnown, required: true },
  username: { check: aUsername, required: true },
  password: { check: isSecret, required: true },
} as const satisfies OptionTable<PlainOptions>

/** The checks and defaults of `ScramOptions`, in the order of the documents. */
export const SCRAM_OPTIONS = {
  mechanism: { check: isKnown, required: true },
  username: { check: aUsername, required: true },
  password: { check: isSecret, required: true },
  tokenAuth: { check: aBoolean, default: false },
  minIterations: { check: anInteger(1, 0x7fffffff), default: 4_096 },
  maxIterations: { check: anInteger(1, 0x7fffffff), default: 1_000_000 },
} as const satisfies OptionTable<ScramOptions>

const isHttp = ({ tokenEndpoint }: OidcOptions) => /^http:/i.test(tokenEndpoint)

/** The checks and defaults of `OidcOptions`, in the order of the documents. */
export const OIDC_OPTIONS = {
  // A URL may hold a password: it has a check of its own.
  tokenEndpoint: { check: isSecret, required: true },
  clientId: { check: aString, required: true },
  clientSecret: { check: isSecret, required: true },
  scope: { check: aString, defaultText: "the provider's" },
  parameters: { check: concealed(aTextTable), defaultText: 'none' },
  extensions: { check: concealed(aTextTable), defaultText: 'none' },
  clientAuthentication: { check: oneOf('basic', 'post'), default: 'basic' },
  ca: {
    check: concealed(either(aPem, anArrayOf(aPem))),
    defaultText: "the system's",
    noEffect: (options) => (isHttp(options) ? 'for an http endpoint' : undefined),
  },
  timeoutMs: { check: aDurationMs(1), default: 10_000 },
  dangerouslyAllowHttp: {
    check: aBoolean,
    default: false,
    noEffect: (options) => (isHttp(options) ? undefined : 'for an https endpoint'),
  },
} as const satisfies OptionTable<OidcOptions>

/** The checks and defaults of `AwsMskIamOptions`, in the order of the documents. */
export const AWS_MSK_IAM_OPTIONS = {
  mechanism: { check: isKnown, required: true },
  region: { check: aString, required: true },
  credentials: {
    check: isSecret,
    defaultText: "the environment's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
  },
} as const satisfies OptionTable<AwsMskIamOptions>

/**
 * Returns the mechanism that the options select. The mechanism keeps the secrets in private fields; the options need
 * not be kept. Throws InvalidArgumentError, without the values of secrets.
 */
export function saslMechanismOf(options: SaslOptions): SaslMechanism {
  const given: unknown = options
  if (!isObject(given)) throw new InvalidArgumentError('sasl: must be an object')
  if (!('mechanism' in options)) return ownMechanism(options)
  switch (options.mechanism) {
    case 'PLAIN':
      return plain(options)
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      return scram(options)
    case 'OAUTHBEARER':
      return oauthBearer(options)
    case 'AWS_MSK_IAM':
      return awsMskIam(options)
    default:
      throw unknownMechanism(options satisfies never)
  }
}

/** Every mechanism of `SaslOptions` but your own: the compiler reports one that is missing. */
const MECHANISMS = {
  PLAIN: true,
  'SCRAM-SHA-256': true,
  'SCRAM-SHA-512': true,
  OAUTHBEARER: true,
  AWS_MSK_IAM: true,
} as const satisfies Record<Exclude<SaslOptions, SaslMechanism>['mechanism'], true>

const KNOWN = Object.keys(MECHANISMS).join(', ')

function unknownMechanism({ mechanism }: { readonly mechanism: unknown }): InvalidArgumentError {
  const shown = typeof mechanism === 'string' ? `'${mechanism}'` : typeof mechanism
  return new InvalidArgumentError(
    `sasl: option 'mechanism' must be one of ${KNOWN}, or a SaslMechanism of your own; not ${shown}`,
  )
}

function ownMechanism(options: SaslMechanism): SaslMechanism {
  const own: { readonly name?: unknown; readonly start?: unknown } = options
  if (typeof own.start !== 'function' || typeof own.name !== 'string' || own.name === '') {
    throw new InvalidArgumentError(
      `sasl: option 'mechanism' must be one of ${KNOWN}; a mechanism of your own needs 'name' and 'start'`,
    )
  }
  return options
}

function plain(options: PlainOptions): SaslMechanism {
  checkTable('sasl', options, PLAIN_OPTIONS)
  checkSecret('sasl', 'password', options.password)
  return new PlainMechanism(options.username, options.password)
}

function scram(options: ScramOptions): SaslMechanism {
  const settings = readOptions('sasl', options, SCRAM_OPTIONS)
  checkSecret('sasl', 'password', options.password)
  const { username, password, minIterations, maxIterations } = settings
  if (minIterations > maxIterations) {
    const what = `option 'minIterations' (${minIterations}) must not be greater than 'maxIterations' (${maxIterations})`
    throw new InvalidArgumentError(`sasl: ${what}`)
  }
  return new ScramMechanism(settings, username, password)
}

function oauthBearer(options: OAuthBearerOptions): SaslMechanism {
  checkOptions<OAuthBearerOptions>('sasl', options, {
    mechanism: isKnown,
    token: isSecret,
    oidc: isSecret,
  })
  const { token, oidc } = options
  if ((token === undefined) === (oidc === undefined)) {
    throw new InvalidArgumentError("sasl: OAUTHBEARER needs one of 'token' and 'oidc'")
  }
  if (token !== undefined) {
    // The error does not contain the value, which may be a token.
    if (aFunction(token) !== undefined) {
      throw new InvalidArgumentError("sasl: option 'token' must be a function that returns a token")
    }
    return new OAuthBearerMechanism(token)
  }
  return openId(oidc)
}

function openId(given: OidcOptions): SaslMechanism {
  const options = { ...given }
  const { dangerouslyAllowHttp, timeoutMs } = readOptions('sasl.oidc', options, OIDC_OPTIONS)
  checkSecret('sasl.oidc', 'tokenEndpoint', options.tokenEndpoint)
  checkPlainSecret('sasl.oidc', 'clientSecret', options.clientSecret)
  checkTokenEndpoint(options.tokenEndpoint, dangerouslyAllowHttp)
  return new OAuthBearerMechanism(() => requestToken({ ...options, timeoutMs }))
}

function awsMskIam(options: AwsMskIamOptions): SaslMechanism {
  checkTable('sasl', options, AWS_MSK_IAM_OPTIONS)
  const { region, credentials } = options
  if (credentials === undefined || typeof credentials === 'function') {
    return new AwsMskIamMechanism(region, credentials)
  }
  const own = { ...credentials }
  const where = 'sasl.credentials'
  checkOptions<AwsCredentials>(where, own, {
    accessKeyId: isSecret,
    secretAccessKey: isSecret,
    sessionToken: isSecret,
  })
  requireOptions(where, own, 'accessKeyId', 'secretAccessKey')
  checkPlainSecret(where, 'accessKeyId', own.accessKeyId)
  checkPlainSecret(where, 'secretAccessKey', own.secretAccessKey)
  if (own.sessionToken !== undefined) checkPlainSecret(where, 'sessionToken', own.sessionToken)
  return new AwsMskIamMechanism(region, own)
}

function checkPlainSecret(what: string, name: string, value: unknown): void {
  if (typeof value === 'function') {
    throw new InvalidArgumentError(`${what}: option '${name}' must be a non-empty string`)
  }
  checkSecret(what, name, value)
}

function requireOptions<Options extends object>(
  what: string,
  options: Options,
  ...names: readonly (keyof Options & string)[]
): void {
  for (const name of names) {
    if (options[name] === undefined) {
      throw new InvalidArgumentError(`${what}: option '${name}' is missing`)
    }
  }
}
