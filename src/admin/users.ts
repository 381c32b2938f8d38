import { alterUserScramCredentials as alterApi } from '../../protocol/apis/alter-user-scram-credentials.ts'
import { describeUserScramCredentials as describeApi } from '../../protocol/apis/describe-user-scram-credentials.ts'
import { cryptoModule, pbkdf2 } from '../builtins.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import { InvalidArgumentError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import {
  anArrayOf,
  anInteger,
  anObject,
  aString,
  concealed,
  oneOf,
  checkValue,
} from '../options.ts'
import type { ScramName } from '../network/sasl/scram.ts'
import { CHANGE_OPTIONS, begin, type AdminContext, type ChangeOptions } from './context.ts'
import { checkDistinct, compareText, itemError, outcomeOf, settled, type Item } from './items.ts'

/** Kafka's numbers of the mechanisms, with the functions that derive their keys. */
const MECHANISMS = {
  'SCRAM-SHA-256': { code: 1, digest: 'sha256', sizeBytes: 32 },
  'SCRAM-SHA-512': { code: 2, digest: 'sha512', sizeBytes: 64 },
} as const
const NAMES: readonly ScramName[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512']

/** The lowest number that Kafka accepts, which is also the one that its own tools use. */
const DEFAULT_ITERATIONS = 4096
/** More iterations would occupy this process for seconds; brokers reject far fewer. */
const MOST_ITERATIONS = 1_000_000
const SALT_BYTES = 24

/** A SCRAM credential of a user. Brokers do not return passwords. */
export interface ScramCredentialInfo {
  /** The mechanism that the credential is for. */
  readonly mechanism: ScramName
  /** The number of iterations that the password was hashed with. */
  readonly iterations: number
}

/** The SCRAM credentials of a user. Brokers never return the salt, the keys or the password. */
export interface UserScramCredentials extends Item {
  /** The name of the user. */
  readonly user: string
  /** Sorted by mechanism; empty if there is an error. */
  readonly credentials: readonly ScramCredentialInfo[]
}

/** Sets or replaces a user's password for one mechanism. */
export interface ScramUpsertion {
  /** The name of the user. */
  readonly user: string
  /** The mechanism that the password is for. */
  readonly mechanism: ScramName
  /** The new password. It is hashed in this process; the broker receives only the hash. */
  readonly password: string
  /** Kafka accepts 4,096 to 16,384. Default: 4,096. */
  readonly iterations?: number
  /** Not allowed together with a password. */
  readonly delete?: undefined
}

/** The checks and defaults of `ScramUpsertion`. */
export const SCRAM_UPSERTION = {
  user: { check: aString, required: true },
  mechanism: { check: oneOf(...NAMES), required: true },
  password: { check: concealed(aString), required: true },
  iterations: { check: anInteger(1, MOST_ITERATIONS), default: DEFAULT_ITERATIONS },
  delete: { check: oneOf() },
} as const satisfies OptionTable<ScramUpsertion>

/** Deletes a user's credential for one mechanism. */
export interface ScramDeletion {
  /** The name of the user. */
  readonly user: string
  /** The mechanism whose credential is deleted. */
  readonly mechanism: ScramName
  /** True: deletes the credential. */
  readonly delete: true
}

/** The checks of `ScramDeletion`. */
export const SCRAM_DELETION = {
  user: { check: aString, required: true },
  mechanism: { check: oneOf(...NAMES), required: true },
  delete: { check: oneOf(true), required: true },
} as const satisfies OptionTable<ScramDeletion>

/** A credential that `alterUserScramCredentials` is to set or delete. */
export type ScramAlteration = ScramUpsertion | ScramDeletion

/** The result of `alterUserScramCredentials` for one credential. */
export interface ScramAlterationResult extends Item {
  /** The name of the user. */
  readonly user: string
  /** The mechanism of the credential. */
  readonly mechanism: ScramName
}

export function userOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the SCRAM mechanisms of users, by user (KIP-554, Kafka 2.7 or newer). Without names,
     * it returns all users that have credentials. A user without credentials has an `error` with
     * RESOURCE_NOT_FOUND.
     */
    async describeUserScramCredentials(
      users?: readonly string[],
      options: CallOptions = {},
    ): Promise<readonly UserScramCredentials[]> {
      const operation = 'describeUserScramCredentials'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      if (users !== undefined) checkDistinct(operation, 'user', users)
      if (users?.length === 0) return []
      const { results } = await cluster.router.call(
        describeApi,
        { users: users === undefined ? null : users.map((name) => ({ name })) },
        { to: 'any', what: 'describing SCRAM users', deadline },
      )
      return results
        .map(({ user, errorCode, errorMessage, credentialInfos }): UserScramCredentials => {
          const what = `describing SCRAM user '${user}'`
          const error = itemError(errorCode, what, undefined, errorMessage)
          const credentials = credentialInfos
            .flatMap(({ mechanism: code, iterations }) => {
              const mechanism = NAMES.find((name) => MECHANISMS[name].code === code)
              return mechanism === undefined ? [] : [{ mechanism, iterations }]
            })
            .sort((a, b) => compareText(a.mechanism, b.mechanism))
          return { user, credentials, ...(error === undefined ? {} : { error }) }
        })
        .sort((a, b) => compareText(a.user, b.user))
    },

    /**
     * Sets or deletes the SCRAM credentials of users (KIP-554, Kafka 2.7 or newer). The salted
     * password is computed in this process: the password itself is not sent. Throws
     * ItemsFailedError, with UNACCEPTABLE_CREDENTIAL for a number of iterations that Kafka does not
     * accept, and RESOURCE_NOT_FOUND for a deletion of a credential that does not exist.
     */
    async alterUserScramCredentials(
      alterations: readonly ScramAlteration[],
      options: ChangeOptions = {},
    ): Promise<readonly ScramAlterationResult[]> {
      const operation = 'alterUserScramCredentials'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkAlterations(operation, alterations)
      const results = new Map<ScramAlteration, ScramAlterationResult>()
      for (const round of rounds(alterations)) {
        const outcomes = await cluster.fanOut.run<ScramAlteration, undefined>({
          items: round,
          to: () => 'controller',
          what: 'altering SCRAM users',
          deadline,
          ask: async (items, recipient) => {
            const body = await requestOf(items)
            const response = await recipient.request(alterApi, body)
            const found = new Map(response.results.map((one) => [one.user, one]))
            return items.flatMap((item) => {
              const one = found.get(item.user)
              if (one === undefined) return []
              const what = `${item.delete === true ? 'deleting' : 'setting'} ${item.mechanism} of user '${item.user}'`
              const error = itemError(one.errorCode, what, recipient.name, one.errorMessage)
              return [outcomeOf(item, error, undefined)]
            })
          },
        })
        for (const { item, error } of outcomes) {
          const { user, mechanism } = item
          results.set(item, { user, mechanism, ...(error === undefined ? {} : { error }) })
        }
      }
      return settled(
        operation,
        alterations.map((one) => results.get(one)!),
        settle,
      )
    },
  }
}

/**
 * Kafka accepts one alteration of each user in a request, and responds by user: further ones are
 * sent in later requests.
 */
function rounds(alterations: readonly ScramAlteration[]): readonly ScramAlteration[][] {
  const all: ScramAlteration[][] = []
  const counts = new Map<string, number>()
  for (const alteration of alterations) {
    const round = counts.get(alteration.user) ?? 0
    counts.set(alteration.user, round + 1)
    ;(all[round] ??= []).push(alteration)
  }
  return all
}

async function requestOf(alterations: readonly ScramAlteration[]) {
  const upsertions = []
  const deletions = []
  for (const alteration of alterations) {
    const { code, digest, sizeBytes } = MECHANISMS[alteration.mechanism]
    const named = { name: alteration.user, mechanism: code }
    if (alteration.delete === true) deletions.push(named)
    else {
      const { password, iterations = DEFAULT_ITERATIONS } = alteration
      const salt = cryptoModule().randomBytes(SALT_BYTES)
      const saltedPassword = await pbkdf2(password, salt, iterations, sizeBytes, digest)
      upsertions.push({ ...named, iterations, salt, saltedPassword })
    }
  }
  return { upsertions, deletions }
}

/** Throws InvalidArgumentError, whose message does not contain passwords. */
function checkAlterations(operation: string, alterations: readonly ScramAlteration[]): void {
  checkValue(`${operation}: the alterations`, alterations, anArrayOf(anObject))
  const seen = new Set<string>()
  for (const alteration of alterations) {
    const what = `an alteration of ${operation}`
    const {
      password,
      delete: deletion,
    }: { readonly password?: unknown; readonly delete?: unknown } = alteration
    if ((password !== undefined) === (deletion !== undefined)) {
      throw new InvalidArgumentError(`${what} must have either 'password' or 'delete: true'`)
    }
    checkTable(what, alteration, deletion === undefined ? SCRAM_UPSERTION : SCRAM_DELETION)
    const { user, mechanism } = alteration
    const key = JSON.stringify([user, mechanism])
    if (seen.has(key)) {
      throw new InvalidArgumentError(`${operation}: ${mechanism} of user '${user}' is given twice`)
    }
    seen.add(key)
  }
}
