import type { Broker } from '../network/broker.ts'
import { textOfThrown } from '../observe/thrown.ts'
import type { Cluster } from './cluster.ts'

/**
 * Looks up the coordinator of a group and opens the connections for its requests (default: that for heartbeats), so
 * that joining need not wait for either. Makes one attempt, and never throws: the join repeats what failed.
 */
export async function connectToCoordinator(
  cluster: Cluster,
  group: string,
  connect: (broker: Broker) => Promise<unknown> = (broker) => broker.versions('group'),
): Promise<void> {
  const { coordinators, options } = cluster
  try {
    if (coordinators.known('group', group) === undefined)
      await coordinators.lookUp('group', [group])
    const broker = coordinators.known('group', group)
    if (broker !== undefined) await connect(broker)
  } catch (error) {
    options.logger.debug(`connecting to the coordinator of '${group}': ${textOfThrown(error)}`)
  }
}
