/** ACLs: described, created and deleted. */
import { createAcls } from '../../../protocol/apis/create-acls.ts'
import { deleteAcls } from '../../../protocol/apis/delete-acls.ts'
import { describeAcls } from '../../../protocol/apis/describe-acls.ts'
import type { Decoded } from '../../../protocol/schema/fields.ts'
import { authorizeCluster } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import {
  CLUSTER_NAME,
  OPERATION,
  OPERATIONS_OF,
  PATTERN,
  PERMISSION,
  RESOURCE,
  type Acl,
  type AclFilter,
} from '../authorization/acl.ts'
import { outcomeOf, Refused } from '../refused.ts'

const WITH_PATTERNS = 1
const DENIED = 'Cluster authorization failed.'

/** Throws SECURITY_DISABLED. */
function checkEnabled({ security }: RequestContext): void {
  if (!security.authorizer.isEnabled) {
    throw new Refused('SECURITY_DISABLED', 'No Authorizer is configured on the broker')
  }
}

export const describeAclsHandler = handler(describeAcls, {
  handle: (request, context) => {
    const outcome = outcomeOf(() => {
      authorizeCluster(context, 'describe', DENIED)
      checkEnabled(context)
      return context.security.authorizer.matching(filterOf(request, context.version))
    })
    if (outcome.refused !== undefined) {
      const { errorCode, detail } = outcome.refused
      return { throttleTimeMs: 0, errorCode, errorMessage: detail, resources: [] }
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: '',
      resources: byResource(outcome.value).map((acls) => ({
        ...resourceOf(acls[0]!, context.version),
        acls: acls.map(({ principal, host, operation, permissionType }) => ({
          principal,
          host,
          operation,
          permissionType,
        })),
      })),
    }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, resources: [] }),
})

function byResource(acls: readonly Acl[]): readonly Acl[][] {
  const groups = new Map<string, Acl[]>()
  for (const acl of acls) {
    const key = `${acl.resourceType} ${acl.patternType} ${acl.resourceName}`
    groups.set(key, [...(groups.get(key) ?? []), acl])
  }
  return [...groups.values()]
}

function resourceOf({ resourceType, resourceName, patternType }: Acl, version: number) {
  return { resourceType, resourceName, ...(version >= WITH_PATTERNS ? { patternType } : {}) }
}

export const createAclsHandler = handler(createAcls, {
  handle: (request, context) => {
    const { version, security } = context
    const whole = outcomeOf(() => {
      authorizeCluster(context, 'alter', DENIED)
      checkEnabled(context)
    })
    return {
      throttleTimeMs: 0,
      results: request.creations.map(({ resourcePatternType, ...creation }) => {
        const { refused } = outcomeOf(() => {
          if (whole.refused !== undefined) throw whole.refused
          const patternType = version >= WITH_PATTERNS ? resourcePatternType : PATTERN.literal
          const acl = { ...creation, patternType }
          checkAcl(acl)
          security.authorizer.create(acl)
        })
        return {
          errorCode: refused?.errorCode ?? 0,
          errorMessage: refused === undefined ? '' : refused.detail,
        }
      }),
    }
  },
  refuse: (errorCode, { creations }) => ({
    throttleTimeMs: 0,
    results: creations.map(() => ({ errorCode, errorMessage: null })),
  }),
})

/** Throws INVALID_REQUEST. */
function checkAcl(acl: Acl): void {
  const { resourceType, resourceName, patternType, principal, operation, permissionType } = acl
  if (!OPERATIONS_OF.has(resourceType)) {
    throw new Refused('INVALID_REQUEST', 'Invalid resourceType')
  }
  if (patternType !== PATTERN.literal && patternType !== PATTERN.prefixed) {
    throw new Refused('INVALID_REQUEST', 'Invalid patternType')
  }
  if (resourceType === RESOURCE.cluster && resourceName !== CLUSTER_NAME) {
    throw new Refused(
      'INVALID_REQUEST',
      'The only valid name for the CLUSTER resource is kafka-cluster',
    )
  }
  if (resourceName === '') throw new Refused('INVALID_REQUEST', 'Invalid empty resource name')
  if (!principal.includes(':')) {
    throw new Refused(
      'INVALID_REQUEST',
      `Could not parse principal from \`${principal}\` (no colon is present separating the principal type from the principal name)`,
    )
  }
  // An operation that resources of the type do not have is valid.
  if (operation < OPERATION.all || operation > OPERATION.twoPhaseCommit) {
    throw new Refused('INVALID_REQUEST', 'Invalid operation')
  }
  if (permissionType !== PERMISSION.allow && permissionType !== PERMISSION.deny) {
    throw new Refused('INVALID_REQUEST', 'Invalid permissionType')
  }
}

export const deleteAclsHandler = handler(deleteAcls, {
  handle: (request, context) => {
    const { version, security } = context
    const whole = outcomeOf(() => {
      authorizeCluster(context, 'alter', DENIED)
      checkEnabled(context)
    })
    return {
      throttleTimeMs: 0,
      filterResults: request.filters.map((wanted) => {
        const outcome = outcomeOf(() => {
          if (whole.refused !== undefined) throw whole.refused
          return security.authorizer.matching(filterOf(wanted, version))
        })
        if (outcome.refused !== undefined) {
          const { errorCode, detail } = outcome.refused
          return { errorCode, errorMessage: detail, matchingAcls: [] }
        }
        for (const acl of outcome.value) security.authorizer.delete(acl)
        return {
          errorCode: 0,
          errorMessage: null,
          matchingAcls: outcome.value.map((acl) => ({
            errorCode: 0,
            errorMessage: null,
            ...resourceOf(acl, version),
            principal: acl.principal,
            host: acl.host,
            operation: acl.operation,
            permissionType: acl.permissionType,
          })),
        }
      }),
    }
  },
  refuse: (errorCode, { filters }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({ errorCode, errorMessage: null, matchingAcls: [] })),
  }),
})

type WantedFilter = Decoded<typeof deleteAcls.request.fields>['filters'][number]

function filterOf(wanted: WantedFilter, version: number): AclFilter {
  return {
    resourceType: wanted.resourceTypeFilter,
    resourceName: wanted.resourceNameFilter,
    patternType: version >= WITH_PATTERNS ? wanted.patternTypeFilter : PATTERN.literal,
    principal: wanted.principalFilter,
    host: wanted.hostFilter,
    operation: wanted.operation,
    permissionType: wanted.permissionType,
  }
}
