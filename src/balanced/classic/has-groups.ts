import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { SocketDisconnectedError, UnsupportedVersionError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'

/** Brokers that are known to support groups. */
const checked = new WeakSet<Broker>()

/**
 * Throws UnsupportedVersionError for a broker of 0.8, which has no groups. Such a broker takes JoinGroup for another
 * request and answers in another format; for an API that came with groups it closes the connection. A connection may
 * also be lost by chance, so the broker has to close it twice.
 */
export async function checkHasGroups(broker: Broker, timeoutMs: number): Promise<void> {
  if (checked.has(broker)) return
  // A broker that reports its versions is 0.10 or newer.
  if (!(await broker.versions('group')).has(apiVersions)) {
    const supportsGroups =
      (await listsGroups(broker, timeoutMs)) || (await listsGroups(broker, timeoutMs))
    if (!supportsGroups) {
      throw new UnsupportedVersionError(
        `${broker.name} is a Kafka 0.8, which does not coordinate groups: Kafka 0.9 or newer is required. Use zookeeperHosts and groupProtocol 'zookeeper'`,
        { broker: broker.name },
      )
    }
  }
  checked.add(broker)
}

async function listsGroups(broker: Broker, timeoutMs: number): Promise<boolean> {
  try {
    await broker.request(listGroups, {}, { timeoutMs, purpose: 'group' })
    return true
  } catch (error) {
    if (error instanceof SocketDisconnectedError) return false
    throw error
  }
}
