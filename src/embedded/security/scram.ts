/**
 * The broker's side of SCRAM (RFC 5802, 7677). It shares no code with the client's side: two
 * independent implementations that agree are more likely correct.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { DelegationTokens } from './delegation-tokens.ts'
import {
  OTHER_AUTHORIZATION_ID,
  SaslFailure,
  type SaslServerExchange,
  type SaslStep,
} from './sasl-mechanism.ts'
import {
  credentialOf,
  hash,
  hmac,
  SCRAM_DIGESTS,
  type Digest,
  type ScramCredential,
  type ScramCredentials,
  type ScramMechanismName,
} from './scram-credentials.ts'

/**
 * The header (no channel binding, and optionally the user to act for), then the user's name and the
 * nonce.
 */
const CLIENT_FIRST = /^([ny],(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,(.*))?)$/s
const CLIENT_FINAL =
  /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/

/** The user that logs in, the user to act for, and the stored credential. */
interface Known {
  readonly credential: ScramCredential
  readonly principal: string
  readonly isByToken: boolean
  readonly lifetimeMs: number | undefined
}

/** The state that all listeners share. */
export interface ScramDirectory {
  readonly credentials: ScramCredentials
  readonly tokens: DelegationTokens
  readonly nowMs: () => number
}

/**
 * The users of one mechanism at a listener. The credential for a password is computed when it is
 * first needed.
 */
export class ScramUsers {
  readonly #mechanism: ScramMechanismName
  readonly #directory: ScramDirectory
  readonly #passwords: ReadonlyMap<string, string>
  readonly #credentials = new Map<string, Promise<ScramCredential>>()

  constructor(
    mechanism: ScramMechanismName,
    passwords: ReadonlyMap<string, string>,
    directory: ScramDirectory,
  ) {
    this.#mechanism = mechanism
    this.#passwords = passwords
    this.#directory = directory
  }

  exchange(): SaslServerExchange {
    const digest = SCRAM_DIGESTS[this.#mechanism]
    return new ScramServerExchange(digest, (name, isByToken) =>
      isByToken ? this.#ownerOf(name) : this.#user(name),
    )
  }

  async #user(username: string): Promise<Known | undefined> {
    const stored = this.#directory.credentials.find(username, this.#mechanism)
    const credential = stored ?? (await this.#givenCredentialOf(username))
    if (credential === undefined || credential === 'deleted') return undefined
    const principal = `User:${username}`
    return { credential, principal, isByToken: false, lifetimeMs: undefined }
  }

  #givenCredentialOf(username: string): Promise<ScramCredential> | undefined {
    const password = this.#passwords.get(username)
    if (password === undefined) return undefined
    let credential = this.#credentials.get(username)
    if (credential === undefined) {
      credential = credentialOf(SCRAM_DIGESTS[this.#mechanism], password)
      this.#credentials.set(username, credential)
    }
    return credential
  }

  /** The password of a token is its HMAC in base64. */
  async #ownerOf(tokenId: string): Promise<Known | undefined> {
    const { tokens, nowMs } = this.#directory
    const token = tokens.find(tokenId, nowMs())
    if (token === undefined) return undefined
    const password = tokens.hmacOf(tokenId).toString('base64')
    const credential = await credentialOf(SCRAM_DIGESTS[this.#mechanism], password)
    const lifetimeMs = token.expiryMs - nowMs()
    return { credential, principal: token.owner, isByToken: true, lifetimeMs }
  }
}

type Find = (name: string, isByToken: boolean) => Promise<Known | undefined>

/** Steps: the client's first message → its final one → done. */
class ScramServerExchange implements SaslServerExchange {
  readonly #digest: Digest
  readonly #find: Find
  #begun: ScramBegun | undefined

  constructor(digest: Digest, find: Find) {
    this.#digest = digest
    this.#find = find
  }

  async next(token: Buffer): Promise<SaslStep> {
    const begun = this.#begun
    if (begun !== undefined) return this.#final(token.toString(), begun)
    this.#begun = await this.#first(token.toString())
    return { kind: 'challenge', token: Buffer.from(this.#begun.serverFirst) }
  }

  async #first(message: string): Promise<ScramBegun> {
    const [, header, actFor, bare, name, clientNonce, extensions = ''] =
      CLIENT_FIRST.exec(message) ?? []
    if (header === undefined || bare === undefined || name === undefined) {
      throw new SaslFailure('the first message of the client is not valid')
    }
    const username = unescaped(name)
    if (actFor !== undefined && actFor !== '' && unescaped(actFor) !== username) {
      throw new SaslFailure(OTHER_AUTHORIZATION_ID, OTHER_AUTHORIZATION_ID)
    }
    const known = await this.#find(username, extensions.split(',').includes('tokenauth=true'))
    if (known === undefined) throw new SaslFailure(`the user '${username}' does not exist`)
    const { credential } = known
    const nonce = `${clientNonce}${randomBytes(18).toString('base64')}`
    const salt = credential.salt.toString('base64')
    const serverFirst = `r=${nonce},s=${salt},i=${credential.iterations}`
    return { header, bare, username, nonce, known, serverFirst }
  }

  #final(message: string, begun: ScramBegun): SaslStep {
    const [, withoutProof, binding, nonce, proof] = CLIENT_FINAL.exec(message) ?? []
    if (withoutProof === undefined || binding === undefined || proof === undefined) {
      throw new SaslFailure('the final message of the client is not valid')
    }
    const { header, bare, serverFirst, username, known } = begun
    // Kafka checks only the end, and older librdkafka relies on that: it sends its own part twice.
    if (nonce?.endsWith(begun.nonce) !== true)
      throw new SaslFailure('the nonce does not match the first message')
    if (binding !== Buffer.from(header).toString('base64')) {
      throw new SaslFailure('the channel binding does not match the first message')
    }
    const exchanged = `${bare},${serverFirst},${withoutProof}`
    const { storedKey, serverKey } = known.credential
    const signature = hmac(this.#digest, storedKey, exchanged)
    const clientKey = xor(Buffer.from(proof, 'base64'), signature)
    if (clientKey === undefined || !timingSafeEqual(hash(this.#digest, clientKey), storedKey)) {
      throw new SaslFailure(`the password of '${username}' is wrong`)
    }
    const verifier = hmac(this.#digest, serverKey, exchanged).toString('base64')
    const { principal, isByToken, lifetimeMs } = known
    return { kind: 'done', token: Buffer.from(`v=${verifier}`), principal, isByToken, lifetimeMs }
  }
}

/** The state after the client's first message. */
interface ScramBegun {
  readonly header: string
  readonly bare: string
  readonly username: string
  readonly nonce: string
  readonly known: Known
  readonly serverFirst: string
}

/** `=2C` and `=3D` stand for a comma and an equals sign; any other `=` is invalid. */
function unescaped(name: string): string {
  if (/=(?!2C|3D)/.test(name))
    throw new SaslFailure('the user name has an = that is not part of =2C or =3D')
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** Undefined if their sizes differ. */
function xor(one: Buffer, other: Buffer): Buffer | undefined {
  if (one.length !== other.length) return undefined
  return Buffer.from(one.map((byte, index) => byte ^ other[index]!))
}
