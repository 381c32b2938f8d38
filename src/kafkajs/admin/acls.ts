import { createAcls, deleteAcls, describeAcls } from '../../../protocol/index.ts'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from '../enums.ts'
import { throwIfFailed } from '../error-from.ts'
import type { AclFilter, Admin } from '../types/admin.ts'
import { operate, refuse, type AdminParts } from './context.ts'

type AclOperations = Pick<Admin, 'createAcls' | 'describeAcls' | 'deleteAcls'>

export function aclOperations(parts: AdminParts): AclOperations {
  return {
    createAcls: async ({ acl }) => {
      const given: unknown = acl
      if (!Array.isArray(given)) refuse(`Invalid ACL array ${String(given)}`)
      if (given.length === 0) refuse('Empty ACL array')
      checkTexts(acl, 'ACL array', false)
      checkTypes(acl)
      return operate(parts, async (client) => {
        const { results } = await client.request(
          createAcls,
          {
            creations: acl.map((one) => ({
              resourceType: one.resourceType,
              resourceName: one.resourceName,
              resourcePatternType: one.resourcePatternType,
              principal: one.principal,
              host: one.host,
              operation: one.operation,
              permissionType: one.permissionType,
            })),
          },
          { to: 'controller' },
        )
        for (const { errorCode } of results) throwIfFailed(errorCode)
        return true
      })
    },

    describeAcls: async (filter) => {
      checkFilterTexts(filter)
      checkFilterTypes(filter)
      return operate(parts, async (client) => {
        const { resources, errorCode } = await client.request(describeAcls, filterOf(filter), {
          to: 'controller',
        })
        throwIfFailed(errorCode)
        // kafkajs declares more than it returns.
        return {
          resources: resources.map(({ resourceType, resourceName, patternType, acls }) => ({
            resourceType,
            resourceName,
            resourcePatternType: patternType,
            acls: acls.map(({ principal, host, operation, permissionType }) => ({
              principal,
              host,
              operation,
              permissionType,
            })),
          })),
        } as Awaited<ReturnType<Admin['describeAcls']>>
      })
    },

    deleteAcls: async ({ filters }) => {
      const given: unknown = filters
      if (!Array.isArray(given)) refuse(`Invalid ACL Filter array ${String(given)}`)
      if (given.length === 0) refuse('Empty ACL Filter array')
      checkTexts(filters, 'ACL Filter array', true)
      checkTypes(filters)
      return operate(parts, async (client) => {
        const { filterResults } = await client.request(
          deleteAcls,
          { filters: filters.map(filterOf) },
          { to: 'controller' },
        )
        for (const { errorCode, matchingAcls } of filterResults) {
          throwIfFailed(errorCode)
          for (const matching of matchingAcls) throwIfFailed(matching.errorCode)
        }
        // kafkajs declares a `throttleTime` that it does not return, and no message that is null.
        return {
          filterResponses: filterResults.map(({ errorCode, errorMessage, matchingAcls }) => ({
            errorCode,
            errorMessage,
            matchingAcls: matchingAcls.map(({ patternType, ...matching }) => ({
              errorCode: matching.errorCode,
              errorMessage: matching.errorMessage,
              resourceType: matching.resourceType,
              resourceName: matching.resourceName,
              resourcePatternType: patternType,
              principal: matching.principal,
              host: matching.host,
              operation: matching.operation,
              permissionType: matching.permissionType,
            })),
          })),
        } as unknown as Awaited<ReturnType<Admin['deleteAcls']>>
      })
    },
  }
}

function filterOf(filter: AclFilter) {
  return {
    resourceTypeFilter: filter.resourceType,
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: filter.resourcePatternType,
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: filter.operation,
    permissionType: filter.permissionType,
  }
}

function fieldOf(entry: object, name: string): unknown {
  // Callers without types may pass any value in a field.
  return (entry as Readonly<Record<string, unknown>>)[name]
}

function checkTexts(entries: readonly object[], what: string, mayBeMissing: boolean): void {
  for (const name of ['principal', 'host', 'resourceName']) {
    const isWrong = (entry: object) => {
      const value = fieldOf(entry, name)
      return typeof value !== 'string' && !(mayBeMissing && value === undefined)
    }
    if (entries.some(isWrong)) {
      refuse(`Invalid ${what}, the ${name}s have to be a valid string`)
    }
  }
}

function checkFilterTexts(filter: object): void {
  for (const name of ['principal', 'host', 'resourceName']) {
    const value = fieldOf(filter, name)
    if (typeof value === 'string' || value === undefined) continue
    refuse(`Invalid ${name}, the ${name} have to be a valid string`)
  }
}

const ENUMS = [
  ['operation', 'operation type', AclOperationTypes],
  ['resourcePatternType', 'resource pattern type', ResourcePatternTypes],
  ['permissionType', 'permission type', AclPermissionTypes],
  ['resourceType', 'resource type', AclResourceTypes],
] as const

function checkFilterTypes(filter: object): void {
  checkEach([filter], (what, value) => `${what.replace('pattern', 'pattern filter')} ${value}`)
}

function checkTypes(entries: readonly object[]): void {
  checkEach(entries, (what, value, entry) => `${what} ${value}: ${JSON.stringify(entry)}`)
}

function checkEach(
  entries: readonly object[],
  describe: (what: string, value: string, entry: object) => string,
): void {
  for (const [name, what, values] of ENUMS) {
    const known: readonly unknown[] = Object.values(values)
    const wrong = entries.find((entry) => !known.includes(fieldOf(entry, name)))
    if (wrong === undefined) continue
    refuse(`Invalid ${describe(what, String(fieldOf(wrong, name)), wrong)}`)
  }
}
