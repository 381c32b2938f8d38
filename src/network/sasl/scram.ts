import { cryptoModule, pbkdf2 } from '../../builtins.ts'
import { AuthenticationError, type AuthenticationErrorCode } from '../../errors.ts'
import { quoted } from '../../observe/printable.ts'
import { formatAddress } from '../address.ts'
import { concealer } from './conceal.ts'
import type { SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts'
import { readServerFinal, readServerFirst, ScramMessageError } from './scram-messages.ts'
import { reveal, type Secret } from './secret.ts'

/** Kafka's SCRAM mechanisms (RFC 5802, 7677). */
export type ScramName = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** Login with SCRAM, Kafka 0.10.2 or newer. */
export interface ScramOptions {
  /** `SCRAM-SHA-256` or `SCRAM-SHA-512`, whichever the user has credentials for. Required. */
  readonly mechanism: ScramName
  /** The name of the user, in ASCII: Apache Kafka rejects other characters without a useful error. Required. */
  readonly username: string
  /** The password, or a function that each new connection calls for it. Required. */
  readonly password: Secret
  /**
   * Logs in with a delegation token (KIP-48): `username` is the token's id, `password` its HMAC in base64, as
   * `admin.createDelegationToken` returns them. Default: false.
   */
  readonly tokenAuth?: boolean
  /** The login fails if the broker requests fewer iterations, because they make the password easy to guess. Default: 4,096. */
  readonly minIterations?: number
  /** The login fails if the broker requests more iterations, which would keep this process busy. Default: 1,000,000. */
  readonly maxIterations?: number
}

export type ScramSettings = Pick<ScramOptions, 'mechanism' | 'tokenAuth'> &
  Required<Pick<ScramOptions, 'minIterations' | 'maxIterations'>>

const DIGESTS = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const

/** "n": no channel binding, which Kafka does not support. The empty part: no other user to act for. */
const GS2_HEADER = 'n,,'

/** Proves that the client knows the password without sending it, and verifies that the broker knows it (RFC 5802, 7677). */
export class ScramMechanism implements SaslMechanism {
  readonly name: ScramName
  readonly #settings: ScramSettings
  readonly #username: string
  readonly #password: Secret

  constructor(settings: ScramSettings, username: string, password: Secret) {
    this.name = settings.mechanism
    this.#settings = settings
    this.#username = username
    this.#password = password
  }

  async start(context: SaslContext): Promise<ScramExchange> {
    const password = await reveal(this.#password, 'password', this.name, context)
    return new ScramExchange(this.#settings, formatAddress(context), this.#username, password)
  }
}

type Step = 'first' | 'final' | 'verify' | 'done' | 'failed'

/** Steps: first → final → verify → done. A wrong message of the broker leads from any of them to failed. */
export class ScramExchange implements SaslExchange {
  readonly #settings: ScramSettings
  readonly #broker: string
  readonly #username: string
  readonly #password: string
  readonly #nonce: string
  #step: Step = 'first'
  #serverSignature: Buffer | undefined
  #conceal = concealer()

  /** The nonce is for tests with known answers only. */
  constructor(
    settings: ScramSettings,
    broker: string,
    username: string,
    password: string,
    nonce = cryptoModule().randomBytes(24).toString('base64'),
  ) {
    this.#settings = settings
    this.#broker = broker
    this.#username = username
    this.#password = password
    this.#nonce = nonce
  }

  get isComplete(): boolean {
    return this.#step === 'done'
  }

  /** The proof is a secret: with the rest of the exchange, passwords can be tried against it. */
  conceal(text: string): string {
    return this.#conceal(text)
  }

  async next(challenge: Buffer): Promise<Buffer> {
    const step = this.#step
    // Set to the next step only on success: an exchange that failed stays failed.
    this.#step = 'failed'
    try {
      if (step === 'first') {
        this.#step = 'final'
        return Buffer.from(GS2_HEADER + this.#firstBare())
      }
      if (step === 'final') {
        const answer = await this.#finalMessage(challenge)
        this.#step = 'verify'
        return answer
      }
      if (step === 'verify') {
        this.#verify(challenge)
        this.#step = 'done'
        return Buffer.alloc(0)
      }
      throw new ScramMessageError('it continues after its end')
    } catch (error) {
      if (!(error instanceof ScramMessageError)) throw error
      throw this.#failure(
        'SASL_SERVER_NOT_TRUSTED',
        `the broker's message is invalid: ${error.message}`,
      )
    }
  }

  /**
   * Escapes only "=" and ",". RFC 5802 also requires SASLprep for name and password, but Kafka's own tools and
   * clients do not apply it, so that a prepared name or password would not match the stored credentials.
   */
  #firstBare(): string {
    const name = this.#username.replaceAll('=', '=3D').replaceAll(',', '=2C')
    const extension = this.#settings.tokenAuth === true ? ',tokenauth=true' : ''
    return `n=${name},r=${this.#nonce}${extension}`
  }

  async #finalMessage(challenge: Buffer): Promise<Buffer> {
    const server = readServerFirst(challenge)
    if ('error' in server) throw this.#refused(server.error)
    const { nonce, salt, iterations } = server
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new ScramMessageError('its nonce does not begin with the nonce of this login')
    }
    this.#checkIterations(iterations)
    const digest = DIGESTS[this.#settings.mechanism]
    const hmac = (key: Buffer, ...parts: (Buffer | string)[]): Buffer => {
      const mac = cryptoModule().createHmac(digest, key)
      for (const part of parts) mac.update(part)
      return mac.digest()
    }
    const hash = (data: Buffer): Buffer => cryptoModule().createHash(digest).update(data).digest()

    const size = hash(salt).length
    const salted = await pbkdf2(this.#password, salt, iterations, size, digest)
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`
    const exchanged = [`${this.#firstBare()},`, challenge, `,${withoutProof}`]
    const clientKey = hmac(salted, 'Client Key')
    const proof = xor(clientKey, hmac(hash(clientKey), ...exchanged)).toString('base64')
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), ...exchanged)
    const message = `${withoutProof},p=${proof}`
    this.#conceal = concealer(proof, message)
    return Buffer.from(message)
  }

  #checkIterations(iterations: number): void {
    const { minIterations, maxIterations } = this.#settings
    if (iterations < minIterations) {
      const why = 'fewer iterations make the password easy to guess'
      throw this.#failure(
        'SASL_SERVER_NOT_TRUSTED',
        `the broker requests ${iterations} iterations, fewer than minIterations (${minIterations}): ${why}`,
      )
    }
    if (iterations > maxIterations) {
      const why = 'more iterations could keep this process busy'
      throw this.#failure(
        'SASL_SERVER_NOT_TRUSTED',
        `the broker requests ${iterations} iterations, more than maxIterations (${maxIterations}): ${why}`,
      )
    }
  }

  #verify(challenge: Buffer): void {
    const server = readServerFinal(challenge)
    if ('error' in server) throw this.#refused(server.error)
    const expected = this.#serverSignature
    const { signature } = server
    if (
      expected === undefined ||
      signature.length !== expected.length ||
      !cryptoModule().timingSafeEqual(signature, expected)
    ) {
      throw this.#failure(
        'SASL_SERVER_NOT_TRUSTED',
        "the broker's signature is wrong: the server does not know the password, and may not be your broker",
      )
    }
  }

  #refused(error: string): AuthenticationError {
    return this.#failure(
      'SASL_AUTHENTICATION_FAILED',
      `the broker reported ${quoted(this.conceal(error))}`,
    )
  }

  #failure(code: AuthenticationErrorCode, reason: string): AuthenticationError {
    const { mechanism } = this.#settings
    const message = `cannot log in to ${this.#broker} with ${mechanism}: ${reason}`
    return new AuthenticationError(code, message, { broker: this.#broker, mechanism })
  }
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)))
}
