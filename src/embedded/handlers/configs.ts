import { alterConfigs } from '../../../protocol/apis/alter-configs.ts'
import { describeConfigs } from '../../../protocol/apis/describe-configs.ts'
import { incrementalAlterConfigs } from '../../../protocol/apis/incremental-alter-configs.ts'
import { definitionOf, TopicConfig } from '../cluster/topic-config.ts'
import type { Topic } from '../cluster/topics.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { authorize, authorizeCluster } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import {
  allBrokersEntries,
  brokerEntries,
  topicEntries,
  type ConfigWishes,
} from './config-entries.ts'
import { alterGroupConfigs, configsOfGroup, groupEntries } from './group-configs.ts'
import { alterMetrics, configsOfMetrics, metricsEntries } from './metrics-configs.ts'

/** Kafka's numbers of the types of resources that have configs. */
const TOPIC = 2
const BROKER = 4
const CLIENT_METRICS = 16
const GROUP = 32

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

export const describeConfigsHandler = handler(describeConfigs, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    results: request.resources.map((resource) => {
      const wishes = {
        names: resource.configurationKeys,
        synonyms: request.includeSynonyms,
        documentation: request.includeDocumentation,
      }
      const outcome = outcomeOf(() => entriesOf(resource, wishes, context))
      return outcome.refused === undefined
        ? { ...named(resource), errorCode: 0, errorMessage: '', configs: outcome.value }
        : { ...refusal(resource, outcome.refused), configs: [] }
    }),
  }),
  refuse: (errorCode, { resources }) => ({
    throttleTimeMs: 0,
    results: resources.map((resource) => ({
      ...refusal(resource, { errorCode, detail: null }),
      configs: [],
    })),
  }),
})

/** Throws Refused. */
function entriesOf(resource: Resource, wishes: ConfigWishes, context: RequestContext) {
  const { resourceType, resourceName } = resource
  switch (resourceType) {
    case BROKER:
      return entriesOfBroker(resourceName, wishes, context)
    case GROUP:
      return groupEntries(resourceName, wishes, context)
    case CLIENT_METRICS:
      return metricsEntries(resourceName, wishes, context)
    default: {
      const { config } = topicOf(resource, context, 'describeConfigs', '')
      return topicEntries(config, wishes, context)
    }
  }
}

/**
 * A broker returns only its own configs, and the defaults of all brokers for an empty name. Throws
 * Refused.
 */
function entriesOfBroker(name: string, wishes: ConfigWishes, context: RequestContext) {
  authorizeCluster(context, 'describeConfigs', 'Cluster authorization failed.')
  if (name === '') return allBrokersEntries(wishes, context)
  const { id } = context.broker
  if (!/^[+-]?\d+$/.test(name)) {
    throw new Refused('INVALID_REQUEST', `Broker id must be an integer, but it is: ${name}`)
  }
  if (Number(name) !== id) {
    throw new Refused(
      'INVALID_REQUEST',
      `Unexpected broker id, expected ${id} or empty string, but received ${name}`,
    )
  }
  return brokerEntries(wishes, context)
}

/** Replaces all configs of a resource. */
export const alterConfigsHandler = handler(alterConfigs, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    responses: request.resources.map((resource) =>
      altered(resource, context, request.validateOnly, () =>
        resource.configs.map(({ name, value }) => [name, given(resource, name, value)] as const),
      ),
    ),
  }),
  refuse: (errorCode, { resources }) => ({
    throttleTimeMs: 0,
    responses: resources.map((resource) => refusal(resource, { errorCode, detail: null })),
  }),
})

/** Operations on one config (KIP-339). */
const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

export const incrementalAlterConfigsHandler = handler(incrementalAlterConfigs, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    responses: request.resources.map((resource) =>
      altered(resource, context, request.validateOnly, (config) => {
        const values = new Map(config.overrides)
        for (const { name, configOperation, value } of resource.configs) {
          const valueOf = () => given(resource, name, value)
          applyOperation(values, config, name, configOperation, valueOf)
        }
        return values
      }),
    ),
  }),
  refuse: (errorCode, { resources }) => ({
    throttleTimeMs: 0,
    responses: resources.map((resource) => refusal(resource, { errorCode, detail: null })),
  }),
})

/** The configs of a resource before they are altered. */
interface AlteredConfigs {
  readonly overrides: ReadonlyMap<string, string>
  /** The value of a config, or its default. */
  get(name: string): string
  /** Throws Refused for an unknown config. */
  isList(name: string): boolean
}

function applyOperation(
  values: Map<string, string>,
  config: AlteredConfigs,
  name: string,
  operation: number,
  valueOf: () => string,
): void {
  switch (operation) {
    case SET:
      values.set(name, valueOf())
      return
    case DELETE:
      values.delete(name)
      return
    case APPEND:
    case SUBTRACT: {
      if (!config.isList(name)) {
        throw new Refused(
          'INVALID_CONFIG',
          `Can't ${operation === APPEND ? 'APPEND' : 'SUBTRACT'} to key ${name} because its type is not LIST.`,
        )
      }
      const current = (values.get(name) ?? config.get(name)).split(',').filter(Boolean)
      const changed = valueOf().split(',')
      const next =
        operation === APPEND
          ? [...new Set([...current, ...changed])]
          : current.filter((one) => !changed.includes(one))
      values.set(name, next.join(','))
      return
    }
    default:
      throw new Refused('INVALID_REQUEST', `Unknown operation type ${operation}`)
  }
}

/** Throws Refused. */
function given({ resourceType }: Resource, name: string, value: string | null): string {
  if (value !== null) return value
  if (resourceType === GROUP) {
    throw new Refused('INVALID_REQUEST', `Null value not supported for : ${name}`)
  }
  throw new Refused('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
}

function altered(
  resource: Resource,
  context: RequestContext,
  validateOnly: boolean,
  values: (config: AlteredConfigs) => Iterable<readonly [string, string]>,
) {
  const { refused } = outcomeOf(() => {
    const { resourceType, resourceName } = resource
    if (resourceType === CLIENT_METRICS) {
      const before = configsOfMetrics(resourceName, context)
      alterMetrics(resourceName, values(before), validateOnly, context)
      return
    }
    if (resourceType === GROUP) {
      const before = configsOfGroup(resourceName, context)
      alterGroupConfigs(resourceName, values(before), validateOnly, context)
      return
    }
    const topic = topicOf(
      resource,
      context,
      'alterConfigs',
      `The topic '${resourceName}' does not exist.`,
    )
    const { overrides } = topic.config
    const before: AlteredConfigs = {
      overrides,
      get: (name) => topic.config.get(name),
      isList: (name) => definitionOf(name).type === 'list',
    }
    const config = new TopicConfig(values(before))
    if (!validateOnly) context.cluster.topics.configure(topic, config)
  })
  return refused === undefined
    ? { ...named(resource), errorCode: 0, errorMessage: null }
    : refusal(resource, refused)
}

function topicOf(
  { resourceType, resourceName }: Resource,
  context: RequestContext,
  operation: 'describeConfigs' | 'alterConfigs',
  detail: string | null,
): Topic {
  if (resourceType !== TOPIC) {
    throw new Refused('INVALID_REQUEST', 'The embedded cluster has configs of topics only.')
  }
  authorize(context, operation, 'topic', resourceName, 'Topic authorization failed.')
  const topic = context.cluster.topics.byName(resourceName)
  if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION', detail)
  return topic
}

function named({ resourceType, resourceName }: Resource) {
  return { resourceType, resourceName }
}

function refusal(resource: Resource, { errorCode, detail }: Pick<Refused, 'errorCode' | 'detail'>) {
  return { ...named(resource), errorCode, errorMessage: detail }
}
