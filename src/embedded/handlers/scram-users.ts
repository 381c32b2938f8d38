/** The SCRAM credentials of users (KIP-554). */
import { alterUserScramCredentials } from '../../../protocol/apis/alter-user-scram-credentials.ts'
import { describeUserScramCredentials } from '../../../protocol/apis/describe-user-scram-credentials.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { authorizeCluster } from '../api/access.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf, Refused } from '../refused.ts'
import {
  fromSalted,
  SCRAM_DIGESTS,
  type ScramMechanismName,
} from '../security/scram-credentials.ts'

const MECHANISMS: ReadonlyMap<number, ScramMechanismName> = new Map([
  [1, 'SCRAM-SHA-256'],
  [2, 'SCRAM-SHA-512'],
])
const CODES: Readonly<Record<ScramMechanismName, number>> = {
  'SCRAM-SHA-256': 1,
  'SCRAM-SHA-512': 2,
}
const MIN_ITERATIONS = 4096
const MAX_ITERATIONS = 16_384

export const describeUserScramCredentialsHandler = handler(describeUserScramCredentials, {
  handle: (request, context) => {
    const { refused } = outcomeOf(() => authorizeCluster(context, 'describe'))
    if (refused !== undefined) {
      const { errorCode } = refused
      const errorMessage = 'Cluster authorization failed.'
      return { throttleTimeMs: 0, errorCode, errorMessage, results: [] }
    }
    const { all } = context.security.scramCredentials
    const known = [...new Set(all.map(({ user }) => user))]
    const asked = request.users?.map(({ name }) => name) ?? []
    // An empty list means all users, like null.
    const names = asked.length === 0 ? known : [...new Set(asked)]
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: '',
      results: names.map((user) => {
        const failed = (errorCode: number, errorMessage: string) => ({
          user,
          errorCode,
          errorMessage,
          credentialInfos: [],
        })
        if (asked.indexOf(user) !== asked.lastIndexOf(user)) {
          return failed(
            ErrorCode.DUPLICATE_RESOURCE,
            `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
          )
        }
        const own = all.filter((one) => one.user === user)
        if (own.length === 0) {
          return failed(
            ErrorCode.RESOURCE_NOT_FOUND,
            `Attempt to describe a user credential that does not exist: ${user}`,
          )
        }
        const credentialInfos = own.map(({ mechanism, iterations }) => ({
          mechanism: CODES[mechanism],
          iterations,
        }))
        return { user, errorCode: 0, errorMessage: null, credentialInfos }
      }),
    }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, results: [] }),
})

export const alterUserScramCredentialsHandler = handler(alterUserScramCredentials, {
  handle: ({ deletions, upsertions }, context) => {
    const { scramCredentials } = context.security
    const whole = outcomeOf(() =>
      authorizeCluster(context, 'alter', 'Cluster authorization failed.'),
    )
    const names = [...deletions, ...upsertions].map(({ name }) => name)
    const check = (name: string): void => {
      if (whole.refused !== undefined) throw whole.refused
      if (names.indexOf(name) !== names.lastIndexOf(name)) {
        throw new Refused(
          'DUPLICATE_RESOURCE',
          'A user credential cannot be altered twice in the same request',
        )
      }
      if (name === '') throw new Refused('UNACCEPTABLE_CREDENTIAL', 'Username must not be empty')
    }
    const outcomes = new Map<string, Refused | undefined>()
    for (const { name, mechanism } of deletions) {
      const { refused } = outcomeOf(() => {
        if (whole.refused !== undefined) throw whole.refused
        const known = mechanismOf(mechanism)
        if (!scramCredentials.has(name, known)) {
          throw new Refused(
            'RESOURCE_NOT_FOUND',
            'Attempt to delete a user credential that does not exist',
          )
        }
        check(name)
        scramCredentials.delete(name, known)
      })
      outcomes.set(name, refused)
    }
    for (const { name, mechanism, iterations, salt, saltedPassword } of upsertions) {
      // Only the first error of a user is reported.
      if (outcomes.get(name) !== undefined) continue
      const { refused } = outcomeOf(() => {
        check(name)
        const known = mechanismOf(mechanism)
        if (iterations < MIN_ITERATIONS) {
          throw new Refused('UNACCEPTABLE_CREDENTIAL', 'Too few iterations')
        }
        if (iterations > MAX_ITERATIONS) {
          throw new Refused('UNACCEPTABLE_CREDENTIAL', 'Too many iterations')
        }
        const salted = Buffer.from(saltedPassword)
        const credential = { salt: Buffer.from(salt), salted, iterations }
        scramCredentials.set(name, known, fromSalted(SCRAM_DIGESTS[known], credential))
      })
      outcomes.set(name, refused)
    }
    return {
      throttleTimeMs: 0,
      results: [...outcomes].map(([user, refused]) => ({
        user,
        errorCode: refused?.errorCode ?? 0,
        errorMessage: refused?.detail ?? null,
      })),
    }
  },
  refuse: (errorCode, { deletions, upsertions }) => ({
    throttleTimeMs: 0,
    results: [...deletions, ...upsertions].map(({ name: user }) => ({
      user,
      errorCode,
      errorMessage: null,
    })),
  }),
})

/** Throws UNSUPPORTED_SASL_MECHANISM. */
function mechanismOf(code: number): ScramMechanismName {
  const mechanism = MECHANISMS.get(code)
  if (mechanism === undefined) {
    throw new Refused('UNSUPPORTED_SASL_MECHANISM', 'Unknown SCRAM mechanism')
  }
  return mechanism
}
