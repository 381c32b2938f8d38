import { textOfThrown } from '../observe/thrown.ts'
import type { Cluster } from './cluster.ts'

/**
 * Looks up the coordinator of a group and opens the connection for its heartbeats, so that joining need not wait for
 * either. Makes one attempt, and never throws: the join repeats what failed.
 */
export async function connectToCoordinator(cluster: Cluster, group: string): Promise<void> {
  const { coordinators, options } = cluster
  try {
    if (coordinators.known('group', group) === undefined)
      await coordinators.lookUp('group', [group])
    await coordinators.known('group', group)?.versions('group')
  } catch (error) {
    options.logger.debug(`connecting to the coordinator of '${group}': ${textOfThrown(error)}`)
  }
}
