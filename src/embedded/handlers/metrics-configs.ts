/** The configs of client metrics resources (KIP-714). */
import { CONFIG_TYPE } from '../cluster/config-definition.ts'
import { authorizeCluster } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { Refused } from '../refused.ts'
import { SUBSCRIPTION_CONFIGS } from '../telemetry/subscriptions.ts'
import type { ConfigWishes } from './config-entries.ts'

/** Kafka's numbers of the sources of a value. */
const SOURCE = { clientMetrics: 7, default: 5 } as const

/** The entries of a DescribeConfigs response; those of a resource that does not exist have defaults. Throws Refused. */
export function metricsEntries(name: string, wishes: ConfigWishes, context: RequestContext) {
  authorizeCluster(context, 'describeConfigs', 'Cluster authorization failed.')
  if (name === '') {
    throw new Refused('INVALID_REQUEST', 'Client metrics subscription name must not be empty')
  }
  const values = context.cluster.clientMetrics.subscriptions.valuesOf(name)
  const wished = wishes.names === null || wishes.names.length === 0 ? undefined : wishes.names
  return SUBSCRIPTION_CONFIGS.filter((config) => wished?.includes(config.name) ?? true).map(
    ({ name: config, type, defaultValue }) => {
      const own = values.get(config)
      const synonyms = [
        ...(own === undefined ? [] : [{ name: config, value: own, source: SOURCE.clientMetrics }]),
        { name: config, value: defaultValue, source: SOURCE.default },
      ]
      return {
        name: config,
        value: own ?? defaultValue,
        readOnly: false,
        ...(context.version === 0 ? { isDefault: own === undefined } : {}),
        configSource: own === undefined ? SOURCE.default : SOURCE.clientMetrics,
        isSensitive: false,
        synonyms: wishes.synonyms ? synonyms : [],
        configType: CONFIG_TYPE[type],
        documentation: null,
      }
    },
  )
}

/** The configs of a resource, as the operations on single configs need them. */
export function configsOfMetrics(name: string, context: RequestContext) {
  const overrides = context.cluster.clientMetrics.subscriptions.valuesOf(name)
  const definition = (config: string) => SUBSCRIPTION_CONFIGS.find((one) => one.name === config)
  return {
    overrides,
    get: (config: string) => overrides.get(config) ?? definition(config)?.defaultValue ?? '',
    isList: (config: string) => definition(config)?.type === 'list',
  }
}

/** Replaces the configs of a resource. Throws Refused. */
export function alterMetrics(
  name: string,
  values: Iterable<readonly [string, string]>,
  validateOnly: boolean,
  context: RequestContext,
): void {
  authorizeCluster(context, 'alterConfigs', 'Cluster authorization failed.')
  context.cluster.clientMetrics.subscriptions.configure(name, new Map(values), validateOnly)
}
