import { AuthenticationError } from '../../errors.ts'
import { quoted } from '../../observe/printable.ts'
import { VERSION } from '../../version.ts'
import { formatAddress } from '../address.ts'
import { concealer } from './conceal.ts'
import type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts'
import { isObject } from './oauthbearer.ts'
import { obtain, unavailable } from './secret.ts'
import { presign, type AwsCredentials } from './sigv4.ts'

/** Returns the credentials of AWS for a new connection. */
export type AwsCredentialsProvider = () => AwsCredentials | Promise<AwsCredentials>

/** Login with the identity that AWS credentials have (Amazon MSK's AWS_MSK_IAM). */
export interface AwsMskIamOptions {
  /** Selects AWS_MSK_IAM. Required. */
  readonly mechanism: 'AWS_MSK_IAM'
  /** The region of the cluster, such as `eu-west-1`. Required. */
  readonly region: string
  /**
   * Credentials, or a function that each new connection calls for them; the AWS SDK's providers fit. Default: the
   * environment's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
   */
  readonly credentials?: AwsCredentials | AwsCredentialsProvider
}

const MECHANISM = 'AWS_MSK_IAM'
const VERSION_OF_PAYLOAD = '2020_10_22'
/** Amazon's own library uses the same time. */
const EXPIRES_S = 15 * 60

/** Sends a signed request to connect in the format of Amazon's library for Java. The broker has IAM verify it. */
export class AwsMskIamMechanism implements SaslMechanism {
  readonly name = MECHANISM
  readonly sendsSecret = 'the signed request'
  readonly #region: string
  readonly #credentials: AwsCredentials | AwsCredentialsProvider

  constructor(
    region: string,
    credentials: AwsCredentials | AwsCredentialsProvider = fromEnvironment,
  ) {
    this.#region = region
    this.#credentials = credentials
  }

  async start(context: SaslContext): Promise<SaslExchange> {
    const given = this.#credentials
    const credentials: unknown =
      typeof given === 'function' ? await obtain('credentials', MECHANISM, context, given) : given
    if (!areCredentials(credentials)) {
      const needs = 'accessKeyId and secretAccessKey'
      throw unavailable(`the credentials must have ${needs}`, MECHANISM, context)
    }
    const payload = signedPayload(context.host, this.#region, credentials, new Date())
    const secrets = SECRET_PARAMETERS.map((name) => payload[name] ?? '')
    const message = JSON.stringify(payload)
    return new AwsMskIamExchange(
      Buffer.from(message),
      formatAddress(context),
      concealer(message, ...secrets),
    )
  }
}

/** The parameters with which the receiver could log in to another broker until they expire. */
const SECRET_PARAMETERS = ['x-amz-signature', 'x-amz-security-token', 'x-amz-credential']

/** The message to the broker, sent as JSON. It contains the host without the port. */
export function signedPayload(
  host: string,
  region: string,
  credentials: AwsCredentials,
  date: Date,
): Record<string, string> {
  const signed = presign(
    {
      host,
      path: '/',
      query: { Action: 'kafka-cluster:Connect' },
      region,
      service: 'kafka-cluster',
      expiresS: EXPIRES_S,
      date,
    },
    credentials,
  )
  return {
    version: VERSION_OF_PAYLOAD,
    host,
    'user-agent': `samsa/${VERSION}`,
    ...Object.fromEntries([...signed].map(([name, value]) => [name.toLowerCase(), value])),
  }
}

class AwsMskIamExchange implements SaslExchange {
  readonly #broker: string
  readonly conceal: (text: string) => string
  #payload: Buffer | undefined
  #isComplete = false

  constructor(payload: Buffer, broker: string, conceal: (text: string) => string) {
    this.conceal = conceal
    this.#payload = payload
    this.#broker = broker
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  next(challenge: Buffer): Buffer {
    const payload = this.#payload
    if (payload !== undefined) {
      this.#payload = undefined
      return payload
    }
    if (versionOf(challenge) !== VERSION_OF_PAYLOAD) {
      throw new AuthenticationError(
        'SASL_SERVER_NOT_TRUSTED',
        `${this.#broker} sent a response that is not valid for ${MECHANISM}: ${quoted(this.conceal(challenge.toString()))}`,
        { broker: this.#broker, mechanism: MECHANISM },
      )
    }
    this.#isComplete = true
    return Buffer.alloc(0)
  }
}

function versionOf(challenge: Buffer): unknown {
  try {
    const answer: unknown = JSON.parse(challenge.toString())
    return isObject(answer) ? answer['version'] : undefined
  } catch {
    return undefined
  }
}

function fromEnvironment(): AwsCredentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = process.env
  if (!accessKeyId || !secretAccessKey) {
    throw new Error(
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set in the environment, and there is no option credentials',
    )
  }
  return { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined }
}

function areCredentials(value: unknown): value is AwsCredentials {
  if (!isObject(value)) return false
  const { accessKeyId, secretAccessKey, sessionToken } = value
  return (
    typeof accessKeyId === 'string' &&
    accessKeyId !== '' &&
    typeof secretAccessKey === 'string' &&
    secretAccessKey !== '' &&
    (sessionToken === undefined || typeof sessionToken === 'string')
  )
}
