import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { ask, type Side, type Step } from './step.ts'

/** A value that was given in server.properties, by Kafka's number: it depends on the machine and the test. */
const GIVEN = 4
/** A config of a type that Kafka does not know: a name of an older version in server.properties. */
const UNKNOWN_TYPE = 0

/** DescribeConfigs for one resource. What either side was started with counts as equal. */
export const configsOf = (
  what: string,
  resource: { readonly type: number; readonly name: string },
  names: readonly string[] | null,
  { documentation = true, synonyms = true } = {},
): Step => {
  const described = async (side: Side) => {
    const { results, ...rest } = await ask(side, apis.describeConfigs, 4, {
      resources: [
        { resourceType: resource.type, resourceName: resource.name, configurationKeys: names },
      ],
      includeSynonyms: synonyms,
      includeDocumentation: documentation,
    })
    const withoutGiven = results.map(({ configs, ...result }) => ({
      ...result,
      configs: configs
        .filter(({ configType }) => configType !== UNKNOWN_TYPE)
        .map((config) => (isGiven(config.name) ? { ...config, ...NOT_COMPARED } : config)),
    }))
    return { ...rest, results: withoutGiven }
  }
  return { name: `configs of ${what} (DescribeConfigs v4)`, ask: described }
}

const NOT_COMPARED = { value: '<given>', configSource: GIVEN, synonyms: [] }

/** What test/support/kafka/server-properties.ts or the embedded cluster gives a broker. */
const GIVEN_NAMES = new Set([
  'advertised.listeners',
  'broker.heartbeat.interval.ms',
  'broker.id',
  'broker.session.timeout.ms',
  'controller.listener.names',
  'controller.quorum.voters',
  'default.replication.factor',
  'group.initial.rebalance.delay.ms',
  'listener.security.protocol.map',
  'listeners',
  'log.cleaner.dedupe.buffer.size',
  'log.dirs',
  'node.id',
  'num.io.threads',
  'num.network.threads',
  'offsets.topic.num.partitions',
  'offsets.topic.replication.factor',
  'process.roles',
  'queued.max.request.bytes',
  'share.coordinator.state.topic.min.isr',
  'share.coordinator.state.topic.num.partitions',
  'share.coordinator.state.topic.replication.factor',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms',
  'transaction.state.log.min.isr',
  'transaction.state.log.num.partitions',
  'transaction.state.log.replication.factor',
])

function isGiven(name: string): boolean {
  return GIVEN_NAMES.has(name)
}

/** FindCoordinator, once what the coordinator keeps its state in has been created. */
export const coordinatorFound = (
  what: string,
  key: string,
  keyType: number,
  version: number,
): Step => {
  const { findCoordinator } = apis
  return {
    name: `the coordinator ${what} (${findCoordinator.name} v${version})`,
    async ask(side) {
      const highest = side.highestVersions?.get(findCoordinator.key) ?? version
      const agreed = Math.min(version, highest)
      const body = agreed < 4 ? { key, keyType } : { keyType, coordinatorKeys: [key] }
      for (;;) {
        const found = await ask(side, findCoordinator, agreed, body)
        const { errorCode } = found.coordinators[0] ?? found
        if (errorCode !== ErrorCode.COORDINATOR_NOT_AVAILABLE) return found
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}
