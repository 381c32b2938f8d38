import { apiVersions } from '../../../protocol/apis/api-versions.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { SocketDisconnectedError, UnsupportedVersionError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'

/** Brokers that have been found to have groups. */
const checked = new WeakSet<Broker>()

/**
 * Throws UnsupportedVersionError for a broker of 0.8, which has no groups. It takes JoinGroup for something
 * else and does not answer in kind; an API that came with groups makes it close the connection. As a
 * connection may also be lost by chance, it has to do so twice.
 */
export async function checkHasGroups(broker: Broker, timeoutMs: number): Promise<void> {
  if (checked.has(broker)) return
  // A broker that reports its versions is 0.10 or newer.
  if (!(await broker.versions('group')).has(apiVersions)) {
    const isThere = (await listsGroups(broker, timeoutMs)) || (await listsGroups(broker, timeoutMs))
    if (!isThere) {
      throw new UnsupportedVersionError(
        `${broker.name} is a Kafka 0.8, which has no group protocol: that needs Kafka 0.9 or newer. Use ZooKeeper (zookeeperHosts) instead of { managed: true }`,
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
