/**
 * Changes configs on brokers before Kafka 2.3, whose only request replaces all configs of a
 * resource: the current values are read, and written with the changes. A change by another program
 * in between is lost; the plan states that.
 */
import type { ConfigResource, KafkaClient, ResourceConfigs } from '../index.ts'
import { UsageError } from './failure.ts'
import type { Session } from './session.ts'

export interface ConfigChanges {
  readonly set?: Readonly<Record<string, string>>
  readonly delete?: readonly string[]
}

const RESOURCE_TYPES: Readonly<Record<string, number>> = { topic: 2, broker: 4 }

/**
 * Throws UsageError for resources that such brokers do not have, and Error with the broker's
 * reason.
 */
export async function replaceConfigs(
  session: Session,
  client: KafkaClient,
  { type, name }: ConfigResource,
  before: ResourceConfigs,
  changes: ConfigChanges,
  validateOnly: boolean,
): Promise<void> {
  const resourceType = RESOURCE_TYPES[type]
  if (resourceType === undefined)
    throw new UsageError(`${type}s have no settings in Kafka before 2.3`)
  const secret = before.configs.find(({ isSensitive, isDefault }) => isSensitive && !isDefault)
  if (secret !== undefined) {
    // Brokers do not return its value, so it cannot be written back.
    throw new UsageError(
      `${secret.name} would be lost: use Kafka's own tool to change ${type} ${name}`,
    )
  }
  const own = before.configs.filter(({ source, isDefault, isReadOnly }) =>
    type === 'topic' ? !isDefault && source === 'topic' : source === 'dynamicBroker' && !isReadOnly,
  )
  const values = new Map(own.map((entry) => [entry.name, entry.value]))
  for (const key of changes.delete ?? []) values.delete(key)
  for (const [key, value] of Object.entries(changes.set ?? {})) values.set(key, value)
  const { alterConfigs, describeError } = await import('../../protocol/index.ts')
  const configs = [...values].map(([key, value]) => ({ name: key, value }))
  const { responses } = await client.request(
    alterConfigs,
    { resources: [{ resourceType, resourceName: name, configs }], validateOnly },
    {
      ...session.call,
      to: type === 'broker' && name !== '' ? { broker: Number(name) } : 'controller',
    },
  )
  for (const { errorCode, errorMessage } of responses) {
    if (errorCode === 0) continue
    const { name: code, meaning } = describeError(errorCode)
    throw new Error(`changing ${type} ${name} failed with ${code}: ${errorMessage ?? meaning}`)
  }
}
