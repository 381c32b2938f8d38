import { createDelegationToken as createApi } from '../../protocol/apis/create-delegation-token.ts'
import { describeDelegationToken as describeApi } from '../../protocol/apis/describe-delegation-token.ts'
import { expireDelegationToken as expireApi } from '../../protocol/apis/expire-delegation-token.ts'
import { renewDelegationToken as renewApi } from '../../protocol/apis/renew-delegation-token.ts'
import { toSafeNumber } from '../../protocol/records/safe-number.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import { InvalidArgumentError, requiresKafka } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { anArrayOf, anInteger, checkOptions, concealed, type Check } from '../options.ts'
import { begin, type AdminContext } from './context.ts'
import { compareText } from './items.ts'

/** A delegation token (KIP-48): a client that has it logs in as its owner until it expires. */
export interface DelegationToken {
  /** The user name to log in with. */
  readonly tokenId: string
  /** In base64: the password to log in with. A secret, like every password. */
  readonly hmac: string
  /** The principal of a login with the token: `User:alice`. */
  readonly owner: string
  /** The principal that created the token; undefined before Kafka 3.3, where it is the owner. */
  readonly requester?: string
  /** The principals that may renew it in addition to the owner, in order. */
  readonly renewers: readonly string[]
  /** When the token was created, in milliseconds since 1970. */
  readonly issueTimestampMs: number
  /** When it expires unless it is renewed. */
  readonly expiryTimestampMs: number
  /** When it expires at the latest, no matter how often it is renewed. */
  readonly maxTimestampMs: number
}

const aPrincipal: Check<string> = (value) =>
  typeof value === 'string' && /^[^:]+:./.test(value)
    ? undefined
    : "must be a principal, such as 'User:alice'"

/** The options of `createDelegationToken`. */
export interface CreateTokenOptions extends CallOptions {
  /** The owner of the token, as in `User:alice` (KIP-373, Kafka 3.3 or newer). Default: the principal that creates it. */
  readonly owner?: string
  /** The principals that may renew it in addition to the owner. Default: `[]`. */
  readonly renewers?: readonly string[]
  /** How long the token can be renewed. Default: the broker's `delegation.token.max.lifetime.ms` (7 days unless it is set). */
  readonly maxLifetimeMs?: number
}

/** The checks and defaults of `CreateTokenOptions`. */
export const CREATE_TOKEN_OPTIONS = {
  ...CALL_OPTIONS,
  owner: { check: aPrincipal, defaultText: 'the principal that creates it' },
  renewers: { check: anArrayOf(aPrincipal), default: [] },
  maxLifetimeMs: {
    check: anInteger(1),
    defaultText: "the broker's `delegation.token.max.lifetime.ms`",
  },
} as const satisfies OptionTable<CreateTokenOptions>

/** The options of `renewDelegationToken`. */
export interface RenewTokenOptions extends CallOptions {
  /** How long the token remains valid from now on. Default: the broker's `delegation.token.expiry.time.ms` (a day unless it is set). */
  readonly renewPeriodMs?: number
}

/** The checks and defaults of `RenewTokenOptions`. */
export const RENEW_TOKEN_OPTIONS = {
  ...CALL_OPTIONS,
  renewPeriodMs: {
    check: anInteger(1),
    defaultText: "the broker's `delegation.token.expiry.time.ms`",
  },
} as const satisfies OptionTable<RenewTokenOptions>

/** The options of `expireDelegationToken`. */
export interface ExpireTokenOptions extends CallOptions {
  /** How long the token remains valid; with 0 it is deleted immediately. Default: 0. */
  readonly expiryTimePeriodMs?: number
}

/** The checks and defaults of `ExpireTokenOptions`. */
export const EXPIRE_TOKEN_OPTIONS = {
  ...CALL_OPTIONS,
  expiryTimePeriodMs: { check: anInteger(0), default: 0 },
} as const satisfies OptionTable<ExpireTokenOptions>

/** The options of `describeDelegationTokens`. */
export interface DescribeTokenOptions extends CallOptions {
  /** Only tokens of these owners. Default: all tokens that this client may see. */
  readonly owners?: readonly string[]
}

/** The checks and defaults of `DescribeTokenOptions`. */
export const DESCRIBE_TOKEN_OPTIONS = {
  ...CALL_OPTIONS,
  owners: { check: anArrayOf(aPrincipal), defaultText: 'all tokens that this client may see' },
} as const satisfies OptionTable<DescribeTokenOptions>

/** The result of `renewDelegationToken` and `expireDelegationToken`. */
export interface TokenExpiry {
  /** When the token expires, in milliseconds since 1970. */
  readonly expiryTimestampMs: number
}

const WITH_OWNER = 3
/** A negative value selects the broker's default. */
const BROKER_DEFAULT = -1
/** Any negative period deletes a token; with 0 it would expire but stay until brokers clean up. */
const AT_ONCE = -1

export function tokenOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Creates a delegation token (Kafka 1.1 or newer). The connection must be authenticated by SASL
     * or a client certificate, not by a token. Log in with the token by SCRAM: `tokenId` as the
     * username, `hmac` as the password, `tokenAuth: true`. Throws BrokerError:
     * DELEGATION_TOKEN_AUTH_DISABLED if brokers have no `delegation.token.secret.key`,
     * DELEGATION_TOKEN_REQUEST_NOT_ALLOWED without a login.
     */
    async createDelegationToken(options: CreateTokenOptions = {}): Promise<DelegationToken> {
      const operation = 'createDelegationToken'
      const settings = begin(context, operation, options, CREATE_TOKEN_OPTIONS)
      const { deadline, owner, renewers, maxLifetimeMs = BROKER_DEFAULT } = settings
      let version = 0
      const created = await cluster.router.call(
        createApi,
        (negotiated) => {
          version = negotiated
          if (owner !== undefined && negotiated < WITH_OWNER) {
            throw requiresKafka(`${operation}: a token for another owner`, '3.3')
          }
          const { principalType, principalName } = owner === undefined ? NO_OWNER : partsOf(owner)
          return {
            ...(negotiated < WITH_OWNER
              ? {}
              : { ownerPrincipalType: principalType, ownerPrincipalName: principalName }),
            renewers: renewers.map(partsOf),
            maxLifetimeMs: BigInt(maxLifetimeMs),
          }
        },
        { to: 'any', what: 'creating a delegation token', deadline },
      )
      return tokenOf(
        {
          ...created,
          issueTimestamp: created.issueTimestampMs,
          expiryTimestamp: created.expiryTimestampMs,
          maxTimestamp: created.maxTimestampMs,
          renewers: renewers.map(partsOf),
        },
        version,
      )
    },

    /** Postpones the expiry of a token, given by its `hmac` (Kafka 1.1 or newer). Throws BrokerError. */
    async renewDelegationToken(
      hmac: string,
      options: RenewTokenOptions = {},
    ): Promise<TokenExpiry> {
      const operation = 'renewDelegationToken'
      const settings = begin(context, operation, options, RENEW_TOKEN_OPTIONS)
      const { deadline, renewPeriodMs = BROKER_DEFAULT } = settings
      const body = {
        hmac: bytesOf(operation, hmac),
        renewPeriodMs: BigInt(renewPeriodMs),
      }
      const { expiryTimestampMs } = await cluster.router.call(renewApi, body, {
        to: 'any',
        what: 'renewing a delegation token',
        deadline,
      })
      return { expiryTimestampMs: toSafeNumber(expiryTimestampMs, 'expiry time') }
    },

    /**
     * Makes a token, given by its `hmac`, expire immediately or after a period (Kafka 1.1 or
     * newer). Throws BrokerError.
     */
    async expireDelegationToken(
      hmac: string,
      options: ExpireTokenOptions = {},
    ): Promise<TokenExpiry> {
      const operation = 'expireDelegationToken'
      const settings = begin(context, operation, options, EXPIRE_TOKEN_OPTIONS)
      const { deadline, expiryTimePeriodMs } = settings
      const body = {
        hmac: bytesOf(operation, hmac),
        expiryTimePeriodMs: BigInt(expiryTimePeriodMs === 0 ? AT_ONCE : expiryTimePeriodMs),
      }
      const { expiryTimestampMs } = await cluster.router.call(expireApi, body, {
        to: 'any',
        what: 'expiring a delegation token',
        deadline,
      })
      return { expiryTimestampMs: toSafeNumber(expiryTimestampMs, 'expiry time') }
    },

    /**
     * Returns the tokens that this client may see, by owner and time of creation (Kafka 1.1 or
     * newer). Throws BrokerError.
     */
    async describeDelegationTokens(
      options: DescribeTokenOptions = {},
    ): Promise<readonly DelegationToken[]> {
      const operation = 'describeDelegationTokens'
      const { deadline, owners } = begin(context, operation, options, DESCRIBE_TOKEN_OPTIONS)
      let version = 0
      const { tokens } = await cluster.router.call(
        describeApi,
        (negotiated) => {
          version = negotiated
          return { owners: owners === undefined ? null : owners.map(partsOf) }
        },
        { to: 'any', what: 'describing delegation tokens', deadline },
      )
      return tokens
        .map((token) => tokenOf(token, version))
        .sort(
          (a, b) =>
            compareText(a.owner, b.owner) ||
            a.issueTimestampMs - b.issueTimestampMs ||
            compareText(a.tokenId, b.tokenId),
        )
    },
  }
}

interface PrincipalParts {
  readonly principalType: string
  readonly principalName: string
}
const NO_OWNER = { principalType: null, principalName: null } as const

interface TokenResponse extends PrincipalParts {
  readonly tokenRequesterPrincipalType: string
  readonly tokenRequesterPrincipalName: string
  readonly issueTimestamp: bigint
  readonly expiryTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly tokenId: string
  readonly hmac: Uint8Array
  readonly renewers: readonly PrincipalParts[]
}

function tokenOf(token: TokenResponse, version: number): DelegationToken {
  const requester = `${token.tokenRequesterPrincipalType}:${token.tokenRequesterPrincipalName}`
  return {
    tokenId: token.tokenId,
    hmac: Buffer.from(token.hmac).toString('base64'),
    owner: textOf(token),
    ...(version < WITH_OWNER ? {} : { requester }),
    renewers: token.renewers.map(textOf).sort(compareText),
    issueTimestampMs: toSafeNumber(token.issueTimestamp, 'issue time'),
    expiryTimestampMs: toSafeNumber(token.expiryTimestamp, 'expiry time'),
    maxTimestampMs: toSafeNumber(token.maxTimestamp, 'longest lifetime'),
  }
}

function textOf({ principalType, principalName }: PrincipalParts): string {
  return `${principalType}:${principalName}`
}

/** The names of principals may contain colons. */
function partsOf(principal: string): PrincipalParts {
  const at = principal.indexOf(':')
  return { principalType: principal.slice(0, at), principalName: principal.slice(at + 1) }
}

const base64: Check = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
    ? undefined
    : 'must be the hmac that createDelegationToken returned, in base64'

/** Throws InvalidArgumentError, whose message does not contain the token. */
function bytesOf(operation: string, hmac: string): Buffer {
  if ((hmac as unknown) === undefined)
    throw new InvalidArgumentError(`${operation}: the token is missing`)
  checkOptions(operation, { hmac }, { hmac: concealed(base64) })
  return Buffer.from(hmac, 'base64')
}
