/**
 * SCRAM from the broker's side (RFC 5802, 7677). It shares nothing with the client's: two that were written
 * apart, and agree, are more likely right.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import {
  OTHER_AUTHORIZATION_ID,
  SaslFailure,
  type SaslServerExchange,
  type SaslStep,
} from './sasl-mechanism.ts'

type Digest = 'sha256' | 'sha512'

/** What a broker keeps of a password. */
interface ScramCredential {
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** Kafka's default, and the least that RFC 7677 allows. */
const ITERATIONS = 4096

/** The header: no channel binding, and perhaps for whom to act. Then the user's name, and the nonce. */
const CLIENT_FIRST = /^([ny],(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s
const CLIENT_FINAL =
  /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/

const derive = promisify(pbkdf2)

/** The users of one mechanism. What is kept of a password is worked out when it is first asked for. */
export class ScramUsers {
  readonly #digest: Digest
  readonly #passwords: ReadonlyMap<string, string>
  readonly #credentials = new Map<string, Promise<ScramCredential>>()

  constructor(digest: Digest, passwords: ReadonlyMap<string, string>) {
    this.#digest = digest
    this.#passwords = passwords
  }

  exchange(): SaslServerExchange {
    return new ScramServerExchange(this.#digest, (username) => this.#credentialOf(username))
  }

  #credentialOf(username: string): Promise<ScramCredential> | undefined {
    const password = this.#passwords.get(username)
    if (password === undefined) return undefined
    let credential = this.#credentials.get(username)
    if (credential === undefined) {
      credential = credentialOf(this.#digest, password)
      this.#credentials.set(username, credential)
    }
    return credential
  }
}

type CredentialOf = (username: string) => Promise<ScramCredential> | undefined

/** Steps: the client's first message → its final one → done. */
class ScramServerExchange implements SaslServerExchange {
  readonly #digest: Digest
  readonly #credentialOf: CredentialOf
  #begun: ScramBegun | undefined

  constructor(digest: Digest, credentialOf: CredentialOf) {
    this.#digest = digest
    this.#credentialOf = credentialOf
  }

  async next(token: Buffer): Promise<SaslStep> {
    const begun = this.#begun
    if (begun !== undefined) return this.#final(token.toString(), begun)
    this.#begun = await this.#first(token.toString())
    return { kind: 'challenge', token: Buffer.from(this.#begun.serverFirst) }
  }

  async #first(message: string): Promise<ScramBegun> {
    const [, header, actFor, bare, name, clientNonce] = CLIENT_FIRST.exec(message) ?? []
    if (header === undefined || bare === undefined || name === undefined) {
      throw new SaslFailure("it is no client's first message")
    }
    const username = unescaped(name)
    if (actFor !== undefined && actFor !== '' && unescaped(actFor) !== username) {
      throw new SaslFailure(OTHER_AUTHORIZATION_ID, OTHER_AUTHORIZATION_ID)
    }
    const credential = await this.#credentialOf(username)
    if (credential === undefined) throw new SaslFailure(`there is no user '${username}'`)
    const nonce = `${clientNonce}${randomBytes(18).toString('base64')}`
    const salt = credential.salt.toString('base64')
    const serverFirst = `r=${nonce},s=${salt},i=${ITERATIONS}`
    return { header, bare, username, nonce, credential, serverFirst }
  }

  #final(message: string, begun: ScramBegun): SaslStep {
    const [, withoutProof, binding, nonce, proof] = CLIENT_FINAL.exec(message) ?? []
    if (withoutProof === undefined || binding === undefined || proof === undefined) {
      throw new SaslFailure("it is no client's final message")
    }
    const { header, bare, serverFirst, username, credential } = begun
    // Kafka looks at the end only, and older librdkafka relies on it: it sends its own part twice.
    if (nonce?.endsWith(begun.nonce) !== true)
      throw new SaslFailure('its nonce is not that of this login')
    if (binding !== Buffer.from(header).toString('base64')) {
      throw new SaslFailure('its channel binding is not what it began with')
    }
    const exchanged = `${bare},${serverFirst},${withoutProof}`
    const { storedKey, serverKey } = credential
    const signature = hmac(this.#digest, storedKey, exchanged)
    const clientKey = xor(Buffer.from(proof, 'base64'), signature)
    if (clientKey === undefined || !timingSafeEqual(hash(this.#digest, clientKey), storedKey)) {
      throw new SaslFailure(`the password of '${username}' is wrong`)
    }
    const verifier = hmac(this.#digest, serverKey, exchanged).toString('base64')
    const principal = `User:${username}`
    return { kind: 'done', token: Buffer.from(`v=${verifier}`), principal, lifetimeMs: undefined }
  }
}

/** What is known once the client's first message has come. */
interface ScramBegun {
  readonly header: string
  readonly bare: string
  readonly username: string
  readonly nonce: string
  readonly credential: ScramCredential
  readonly serverFirst: string
}

async function credentialOf(digest: Digest, password: string): Promise<ScramCredential> {
  const salt = randomBytes(18)
  const sizeBytes = hash(digest, salt).length
  const salted = await derive(password, salt, ITERATIONS, sizeBytes, digest)
  const storedKey = hash(digest, hmac(digest, salted, 'Client Key'))
  return { salt, storedKey, serverKey: hmac(digest, salted, 'Server Key') }
}

/** `=2C` and `=3D` stand for a comma and an equals sign; no other `=` may be there. */
function unescaped(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw new SaslFailure('a name has an = that stands for nothing')
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function hmac(digest: Digest, key: Buffer, text: string): Buffer {
  return createHmac(digest, key).update(text).digest()
}

function hash(digest: Digest, data: Buffer): Buffer {
  return createHash(digest).update(data).digest()
}

/** Undefined where they are not of the same size. */
function xor(one: Buffer, other: Buffer): Buffer | undefined {
  if (one.length !== other.length) return undefined
  return Buffer.from(one.map((byte, index) => byte ^ other[index]!))
}
