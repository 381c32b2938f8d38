import type { Admin, ConfigResource } from '../../../../src/index.ts'
import { byKey, sorted, done, only } from './forms.ts'
import type { Operation } from './operation.ts'

async function configsOf(admin: Admin, resource: ConfigResource) {
  const { configs } = await only(admin.describeConfigs([resource], { includeSynonyms: true }))
  return byKey(
    configs.map(
      ({ name, value, isDefault, isReadOnly, isSensitive, type = 'unknown', synonyms }) => [
        name,
        [
          value,
          isDefault,
          isReadOnly,
          isSensitive,
          type,
          (synonyms ?? []).map((one) => `${one.name}=${one.value}`),
        ],
      ],
    ),
  )
}

/** Configs of brokers and topics, and what else has configs. */
export const CONFIG_OPERATIONS: readonly Operation[] = [
  {
    java: 'describeConfigs',
    name: 'describeConfigs (broker)',
    since: '0.11',
    samsa: (admin) => configsOf(admin, { type: 'broker', name: '1' }),
    words: () => ['BROKER', '1'],
  },
  {
    java: 'incrementalAlterConfigs',
    since: '2.3',
    samsa: (admin, own) =>
      done(
        admin.incrementalAlterConfigs([
          {
            type: 'topic',
            name: own,
            set: { 'retention.ms': '777777' },
            append: { 'cleanup.policy': 'compact' },
          },
        ]),
      ),
    until: async (admin) => {
      const found = await Promise.all(
        ['samsa', 'java'].map((name) => admin.describeConfigs([{ type: 'topic', name }])),
      )
      return found
        .flat()
        .every(({ configs }) =>
          configs.some(({ name, value }) => name === 'retention.ms' && value === '777777'),
        )
    },
  },
  {
    java: 'describeConfigs',
    name: 'describeConfigs (topic)',
    since: '0.11',
    samsa: (admin) => configsOf(admin, { type: 'topic', name: 'samsa' }),
    words: () => ['TOPIC', 'samsa'],
  },
  {
    java: 'listConfigResources',
    since: '4.1',
    samsa: async (admin) =>
      sorted((await admin.listConfigResources()).map(({ type, name }) => `${type}:${name}`)),
  },
  {
    java: 'listClientMetricsResources',
    since: '3.7',
    samsa: async (admin) =>
      (await admin.listConfigResources(['clientMetrics'])).map(({ name }) => name),
  },
]
