/** The configs of groups (KIP-848, KIP-932). */
import { authorize } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { CONFIG_TYPE } from '../cluster/config-definition.ts'
import { GROUP_CONFIGS, groupConfigOf } from '../groups/configs/group-config-definitions.ts'
import { GROUP_DOCUMENTATION } from '../groups/configs/group-documentation.ts'
import { Refused } from '../refused.ts'
import { areWished, type ConfigWishes } from './config-entries.ts'

/** Kafka's numbers of the sources of a value. */
const SOURCE = { broker: 4, default: 5, group: 8 } as const
const DENIED = 'Group authorization failed.'

/** The entries of a DescribeConfigs response, also for a group that does not exist yet. Throws Refused. */
export function groupEntries(group: string, wishes: ConfigWishes, context: RequestContext) {
  authorize(context, 'describeConfigs', 'group', group, DENIED)
  if (group === '') throw new Refused('INVALID_REQUEST', 'Group name must not be empty')
  const { configs } = context.groups
  const { brokerConfig } = context.cluster.settings
  const overrides = configs.overridesOf(group)
  return GROUP_CONFIGS.filter(areWished(wishes)).map(({ name, type, ofBroker, defaultValue }) => {
    const own = overrides.get(name)
    const isOfBroker = ofBroker !== undefined && brokerConfig.has(ofBroker)
    const synonyms = [
      ...(own === undefined ? [] : [{ name, value: own, source: SOURCE.group }]),
      ...(isOfBroker
        ? [{ name: ofBroker, value: configs.defaultOf(name), source: SOURCE.broker }]
        : []),
      {
        name: ofBroker ?? name,
        value: isOfBroker ? defaultValue : configs.defaultOf(name),
        source: SOURCE.default,
      },
    ]
    return {
      name,
      value: synonyms[0]!.value,
      readOnly: false,
      ...(context.version === 0 ? { isDefault: own === undefined } : {}),
      configSource: synonyms[0]!.source,
      isSensitive: false,
      synonyms: wishes.synonyms ? synonyms : [],
      configType: CONFIG_TYPE[type],
      documentation: wishes.documentation ? (GROUP_DOCUMENTATION[name] ?? null) : null,
    }
  })
}

/** The configs of a group, as the operations on single configs need them. */
export function configsOfGroup(group: string, { groups }: RequestContext) {
  return {
    overrides: groups.configs.overridesOf(group),
    get: (name: string) => groups.configs.valueOf(group, name),
    isList: (name: string) => groupConfigOf(name).type === 'list',
  }
}

/** Replaces the configs of a group. Throws Refused. */
export function alterGroupConfigs(
  group: string,
  values: Iterable<readonly [string, string]>,
  validateOnly: boolean,
  context: RequestContext,
): void {
  authorize(context, 'alterConfigs', 'group', group, DENIED)
  if (group === '') {
    throw new Refused('INVALID_REQUEST', 'Default group resources are not allowed.')
  }
  context.groups.configs.configure(group, values, validateOnly)
}
