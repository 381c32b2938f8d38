/** Tokens with which a client logs in as their owner (KIP-48). */
import { createDelegationToken } from '../../../protocol/apis/create-delegation-token.ts'
import { describeDelegationToken } from '../../../protocol/apis/describe-delegation-token.ts'
import { expireDelegationToken } from '../../../protocol/apis/expire-delegation-token.ts'
import { renewDelegationToken } from '../../../protocol/apis/renew-delegation-token.ts'
import { authorize, mayDo } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf, Refused } from '../refused.ts'
import type { DelegationToken } from '../security/delegation-tokens.ts'

const WITH_OWNER = 3

interface Principal {
  readonly principalType: string
  readonly principalName: string
}

const NO_TOKEN = {
  issueTimestampMs: -1n,
  expiryTimestampMs: -1n,
  maxTimestampMs: -1n,
  tokenId: '',
  hmac: Buffer.alloc(0),
}

/**
 * The principal that requests a token: an authenticated client that has not used a token. Throws
 * Refused.
 */
function requesterOf({ login, security }: RequestContext): string {
  if (!login.isAuthenticated || login.isByToken || login.principal === undefined) {
    throw new Refused('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED')
  }
  if (!security.delegationTokens.isEnabled) throw new Refused('DELEGATION_TOKEN_AUTH_DISABLED')
  return login.principal
}

export const createDelegationTokenHandler = handler(createDelegationToken, {
  handle: (request, context) => {
    const { version, cluster, login, security } = context
    const requester = login.principal ?? ''
    const { ownerPrincipalType: type, ownerPrincipalName: name } = request
    const hasOwner = version >= WITH_OWNER && name !== null && name !== ''
    const owner = hasOwner ? `${type}:${name}` : requester
    const outcome = outcomeOf(() => {
      requesterOf(context)
      if (owner !== requester) authorize(context, 'createTokens', 'user', owner)
      const renewers = request.renewers.map(textOf)
      if (request.renewers.some(({ principalType }) => principalType !== 'User')) {
        throw new Refused('INVALID_PRINCIPAL_TYPE')
      }
      const lifetimeMs = Number(request.maxLifetimeMs)
      const tokens = security.delegationTokens
      return tokens.create({ owner, requester, renewers }, lifetimeMs, cluster.nowMs())
    })
    const people = {
      ...partsOf(owner),
      ...(version >= WITH_OWNER ? requesterParts(requester) : {}),
    }
    if (outcome.refused !== undefined) {
      return { errorCode: outcome.refused.errorCode, ...people, ...NO_TOKEN, throttleTimeMs: 0 }
    }
    const token = outcome.value
    return {
      errorCode: 0,
      ...people,
      issueTimestampMs: BigInt(token.issueMs),
      expiryTimestampMs: BigInt(token.expiryMs),
      maxTimestampMs: BigInt(token.maxMs),
      tokenId: token.tokenId,
      hmac: security.delegationTokens.hmacOf(token.tokenId),
      throttleTimeMs: 0,
    }
  },
  refuse: (errorCode, _request, { login, version }) => ({
    errorCode,
    ...partsOf(login.principal ?? ''),
    ...(version >= WITH_OWNER ? requesterParts(login.principal ?? '') : {}),
    ...NO_TOKEN,
    throttleTimeMs: 0,
  }),
})

export const renewDelegationTokenHandler = handler(renewDelegationToken, {
  handle: ({ hmac, renewPeriodMs }, context) => {
    const outcome = outcomeOf(() => {
      const requester = requesterOf(context)
      const nowMs = context.cluster.nowMs()
      const tokens = context.security.delegationTokens
      return tokens.renew(Buffer.from(hmac), requester, Number(renewPeriodMs), nowMs)
    })
    return expiry(outcome)
  },
  refuse: (errorCode) => ({ errorCode, expiryTimestampMs: -1n, throttleTimeMs: 0 }),
})

export const expireDelegationTokenHandler = handler(expireDelegationToken, {
  handle: ({ hmac, expiryTimePeriodMs }, context) => {
    const outcome = outcomeOf(() => {
      const requester = requesterOf(context)
      const nowMs = context.cluster.nowMs()
      const tokens = context.security.delegationTokens
      return tokens.expire(Buffer.from(hmac), requester, Number(expiryTimePeriodMs), nowMs)
    })
    return expiry(outcome)
  },
  refuse: (errorCode) => ({ errorCode, expiryTimestampMs: -1n, throttleTimeMs: 0 }),
})

function expiry(outcome: ReturnType<typeof outcomeOf<number>>) {
  return outcome.refused === undefined
    ? { errorCode: 0, expiryTimestampMs: BigInt(outcome.value), throttleTimeMs: 0 }
    : { errorCode: outcome.refused.errorCode, expiryTimestampMs: -1n, throttleTimeMs: 0 }
}

export const describeDelegationTokenHandler = handler(describeDelegationToken, {
  handle: ({ owners }, context) => {
    const { security, cluster, version } = context
    const outcome = outcomeOf(() => {
      const requester = requesterOf(context)
      const wanted = owners?.map(textOf)
      return security.delegationTokens
        .all(cluster.nowMs())
        .filter((token) => wanted?.includes(token.owner) ?? true)
        .filter((token) => isVisible(token, requester, context))
    })
    if (outcome.refused !== undefined) {
      return { errorCode: outcome.refused.errorCode, tokens: [], throttleTimeMs: 0 }
    }
    return {
      errorCode: 0,
      tokens: outcome.value.map((token) => ({
        ...partsOf(token.owner),
        ...(version >= WITH_OWNER ? requesterParts(token.requester) : {}),
        issueTimestamp: BigInt(token.issueMs),
        expiryTimestamp: BigInt(token.expiryMs),
        maxTimestamp: BigInt(token.maxMs),
        tokenId: token.tokenId,
        hmac: security.delegationTokens.hmacOf(token.tokenId),
        renewers: token.renewers.map(partsOf),
      })),
      throttleTimeMs: 0,
    }
  },
  refuse: (errorCode) => ({ errorCode, tokens: [], throttleTimeMs: 0 }),
})

function isVisible(token: DelegationToken, requester: string, context: RequestContext): boolean {
  return (
    [token.owner, token.requester, ...token.renewers].includes(requester) ||
    mayDo(context, 'describe', 'delegationToken', token.tokenId) ||
    mayDo(context, 'describeTokens', 'user', token.owner)
  )
}

function textOf({ principalType, principalName }: Principal): string {
  return `${principalType}:${principalName}`
}

/** The names of principals may contain colons. */
function partsOf(principal: string): Principal {
  const at = principal.indexOf(':')
  return { principalType: principal.slice(0, at), principalName: principal.slice(at + 1) }
}

function requesterParts(principal: string) {
  const { principalType, principalName } = partsOf(principal)
  return {
    tokenRequesterPrincipalType: principalType,
    tokenRequesterPrincipalName: principalName,
  }
}
