import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { ClusterStorage } from '../storage/cluster-storage.ts'

export type Digest = 'sha256' | 'sha512'
export type ScramMechanismName = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export const SCRAM_DIGESTS = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const

/** The credential that a broker stores instead of a password. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** Kafka's default, and the minimum of RFC 7677. */
export const SCRAM_ITERATIONS = 4096

const derive = promisify(pbkdf2)

export async function credentialOf(digest: Digest, password: string): Promise<ScramCredential> {
  const salt = randomBytes(18)
  const sizeBytes = hash(digest, salt).length
  const salted = await derive(password, salt, SCRAM_ITERATIONS, sizeBytes, digest)
  return fromSalted(digest, { salt, salted, iterations: SCRAM_ITERATIONS })
}

/** Computed from the salted password that clients send. */
export function fromSalted(
  digest: Digest,
  {
    salt,
    salted,
    iterations,
  }: { readonly salt: Buffer; readonly salted: Buffer; readonly iterations: number },
): ScramCredential {
  const storedKey = hash(digest, hmac(digest, salted, 'Client Key'))
  return { salt, iterations, storedKey, serverKey: hmac(digest, salted, 'Server Key') }
}

export function hmac(digest: Digest, key: Buffer, text: string): Buffer {
  return createHmac(digest, key).update(text).digest()
}

export function hash(digest: Digest, data: Buffer): Buffer {
  return createHash(digest).update(data).digest()
}

export interface ScramUser {
  readonly user: string
  readonly mechanism: ScramMechanismName
  readonly iterations: number
}

/** A user of the cluster's options can be deleted, too. */
type Stored = ScramCredential | 'deleted'

/** The users that were created while the cluster ran, and the changed users of its options. */
export class ScramCredentials {
  readonly #storage: ClusterStorage
  readonly #stored = new Map<string, Stored>()
  /** Users of the options, whose passwords the listeners know. */
  readonly #given: readonly ScramUser[]

  constructor(given: readonly Omit<ScramUser, 'iterations'>[], storage: ClusterStorage) {
    this.#given = given.map((one) => ({ ...one, iterations: SCRAM_ITERATIONS }))
    this.#storage = storage
    for (const { user, mechanism, salt, iterations, storedKey, serverKey } of storage.saved
      .scramUsers) {
      this.#stored.set(
        keyOf(user, mechanism),
        iterations === 0
          ? 'deleted'
          : {
              salt: Buffer.from(salt, 'base64'),
              iterations,
              storedKey: Buffer.from(storedKey, 'base64'),
              serverKey: Buffer.from(serverKey, 'base64'),
            },
      )
    }
  }

  /** Sorted by user name. */
  get all(): readonly ScramUser[] {
    const users = new Map<string, ScramUser>()
    for (const one of this.#given) users.set(keyOf(one.user, one.mechanism), one)
    for (const [key, stored] of this.#stored) {
      // As `keyOf` has written it.
      const [user, mechanism] = JSON.parse(key) as [string, ScramMechanismName]
      if (stored === 'deleted') users.delete(key)
      else users.set(key, { user, mechanism, iterations: stored.iterations })
    }
    return [...users.values()].sort((a, b) => (a.user < b.user ? -1 : a.user > b.user ? 1 : 0))
  }

  has(user: string, mechanism: ScramMechanismName): boolean {
    return this.all.some((one) => one.user === user && one.mechanism === mechanism)
  }

  /** Undefined if only the options define the user. */
  find(user: string, mechanism: ScramMechanismName): Stored | undefined {
    return this.#stored.get(keyOf(user, mechanism))
  }

  set(user: string, mechanism: ScramMechanismName, credential: ScramCredential): void {
    const { salt, iterations, storedKey, serverKey } = credential
    this.#storage.save({
      kind: 'scramUser',
      user,
      mechanism,
      iterations,
      salt: salt.toString('base64'),
      storedKey: storedKey.toString('base64'),
      serverKey: serverKey.toString('base64'),
    })
    this.#stored.set(keyOf(user, mechanism), credential)
  }

  delete(user: string, mechanism: ScramMechanismName): void {
    const nothing = { iterations: 0, salt: '', storedKey: '', serverKey: '' }
    this.#storage.save({ kind: 'scramUser', user, mechanism, ...nothing })
    this.#stored.set(keyOf(user, mechanism), 'deleted')
  }
}

function keyOf(user: string, mechanism: ScramMechanismName): string {
  return JSON.stringify([user, mechanism])
}
