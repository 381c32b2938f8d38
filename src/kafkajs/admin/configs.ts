import type { Target } from '../../index.ts'
import {
  alterConfigs,
  describeConfigs,
  type DescribeConfigsResponse,
} from '../../../protocol/index.ts'
import { ConfigResourceTypes, ConfigSource } from '../enums.ts'
import { throwIfFailed } from '../error-from.ts'
import type { Admin, ConfigEntries } from '../types/admin.ts'
import { operate, refuse, type AdminParts } from './context.ts'

type ConfigOperations = Pick<Admin, 'describeConfigs' | 'alterConfigs'>

export function configOperations(parts: AdminParts): ConfigOperations {
  return {
    describeConfigs: async ({ resources, includeSynonyms = false }) => {
      checkResources(resources)
      const wrong = resources.find(
        ({ configNames }: { configNames?: unknown }) =>
          configNames !== undefined && configNames !== null && !Array.isArray(configNames),
      )
      if (wrong !== undefined) {
        refuse(
          `Invalid resource configNames ${String(wrong.configNames)}: ${JSON.stringify(wrong)}`,
        )
      }
      return operate(parts, async (client) => {
        const responses = await Promise.all(
          byBroker(resources).map(([to, ofBroker]) =>
            client.request(
              describeConfigs,
              {
                resources: ofBroker.map(({ type, name, configNames }) => ({
                  resourceType: type,
                  resourceName: name,
                  configurationKeys: configNames ?? null,
                })),
                includeSynonyms,
              },
              { to },
            ),
          ),
        )
        const results = responses.flatMap((response) => response.results)
        for (const { errorCode } of results) throwIfFailed(errorCode)
        // kafkajs declares a throttle time, but does not return it.
        return { resources: results.map(configsOf) } as Awaited<
          ReturnType<Admin['describeConfigs']>
        >
      })
    },

    alterConfigs: async ({ resources, validateOnly = false }) => {
      checkResources(resources)
      for (const resource of resources) {
        const { configEntries }: { configEntries: unknown } = resource
        if (!Array.isArray(configEntries)) {
          refuse(
            `Invalid resource configEntries ${String(configEntries)}: ${JSON.stringify(resource)}`,
          )
        }
        const isText = ({ name, value }: { name?: unknown; value?: unknown }) =>
          typeof name === 'string' && typeof value === 'string'
        if (!resource.configEntries.every(isText)) {
          refuse(`Invalid resource config value: ${JSON.stringify(resource)}`)
        }
      }
      return operate(parts, async (client) => {
        const responses = await Promise.all(
          byBroker(resources).map(([to, ofBroker]) =>
            client.request(
              alterConfigs,
              {
                resources: ofBroker.map(({ type, name, configEntries }) => ({
                  resourceType: type,
                  resourceName: name,
                  configs: configEntries,
                })),
                validateOnly,
              },
              { to },
            ),
          ),
        )
        const results = responses.flatMap((response) => response.responses)
        for (const { errorCode } of results) throwIfFailed(errorCode)
        return {
          resources: results.map(({ errorCode, errorMessage, resourceType, resourceName }) => ({
            errorCode,
            errorMessage,
            resourceType,
            resourceName,
          })),
        }
      })
    },
  }
}

interface Resource {
  readonly type: ConfigResourceTypes
  readonly name: string
}

function checkResources(resources: readonly Resource[]): void {
  const given: unknown = resources
  if (!Array.isArray(given)) refuse(`Invalid resources array ${String(given)}`)
  if (given.length === 0) refuse('Resources array cannot be empty')
  const types: readonly unknown[] = Object.values(ConfigResourceTypes)
  const unknown = resources.find(({ type }) => !types.includes(type))
  if (unknown !== undefined) {
    refuse(`Invalid resource type ${String(unknown.type)}: ${JSON.stringify(unknown)}`)
  }
  const unnamed = resources.find(({ name }: { name: unknown }) => !name || typeof name !== 'string')
  if (unnamed !== undefined) {
    refuse(`Invalid resource name ${String(unnamed.name)}: ${JSON.stringify(unnamed)}`)
  }
}

/** Groups resources by the broker to ask: a broker knows its own configuration, the controller all others. */
function byBroker<T extends Resource>(resources: readonly T[]): [Target, T[]][] {
  const found = new Map<string, [Target, T[]]>()
  for (const resource of resources) {
    const { type, name } = resource
    const isOfBroker =
      type === ConfigResourceTypes.BROKER || type === ConfigResourceTypes.BROKER_LOGGER
    const to: Target = isOfBroker ? { broker: Number(name) } : 'controller'
    const key = isOfBroker ? name : ''
    const known = found.get(key)
    if (known === undefined) found.set(key, [to, [resource]])
    else known[1].push(resource)
  }
  return [...found.values()]
}

function configsOf(result: DescribeConfigsResponse['results'][number]) {
  const { errorCode, errorMessage, resourceType, resourceName, configs } = result
  return {
    errorCode,
    errorMessage,
    resourceType,
    resourceName,
    configEntries: configs.map(
      ({ name, value, readOnly, isDefault, configSource, isSensitive, synonyms }) => ({
        configName: name,
        // kafkajs declares a string, but returns null for a value that the broker does not disclose.
        configValue: value as string,
        readOnly,
        isDefault: isDefault || configSource === Number(ConfigSource.DEFAULT_CONFIG),
        configSource,
        isSensitive,
        configSynonyms: synonyms.map((synonym) => ({
          configName: synonym.name,
          // As above.
          configValue: synonym.value as string,
          configSource: synonym.source,
        })),
      }),
    ) satisfies ConfigEntries[],
  }
}
