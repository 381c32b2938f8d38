import { listConfigResources } from '../../../protocol/apis/list-config-resources.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { forCluster } from './for-cluster.ts'

/** Kafka's numbers of the types of resources that have configs. */
const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const ALL_TYPES = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]
/** Version 0 lists client metrics only (KIP-714). */
const WITH_TYPES = 1

/** The names of the resources that have configs (KIP-1142). */
export const listConfigResourcesHandler = handler(
  listConfigResources,
  forCluster('describeConfigs', {
    handle: ({ resourceTypes }, context) => {
      const isOfMetrics = context.version < WITH_TYPES
      const asked = resourceTypes.length === 0 ? ALL_TYPES : resourceTypes
      const types = isOfMetrics ? [CLIENT_METRICS] : asked
      const outcome = outcomeOf(() =>
        [...new Set(types)].flatMap((resourceType) =>
          namesOf(resourceType, context).map((resourceName) => ({ resourceType, resourceName })),
        ),
      )
      return {
        throttleTimeMs: 0,
        errorCode: outcome.refused?.errorCode ?? 0,
        configResources: outcome.refused === undefined ? outcome.value : [],
      }
    },
    refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, configResources: [] }),
  }),
)

/** Throws UNSUPPORTED_VERSION. */
function namesOf(resourceType: number, { cluster, groups }: RequestContext): readonly string[] {
  switch (resourceType) {
    case TOPIC:
      return cluster.topics.all.map(({ name }) => name)
    case BROKER:
    case BROKER_LOGGER:
      return cluster.brokers.all.map(({ id }) => String(id))
    case CLIENT_METRICS:
      return cluster.clientMetrics.subscriptions.names
    case GROUP:
      return groups.configs.groups
    default:
      throw new Refused('UNSUPPORTED_VERSION')
  }
}
