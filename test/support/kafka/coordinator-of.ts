import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { requestOnce } from '../request-once.ts'

/** The id of the broker that coordinates a group. */
export async function coordinatorOf(hosts: string, group: string): Promise<number> {
  const found = await requestOnce(hosts, findCoordinator, (version) =>
    version >= 4 ? { coordinatorKeys: [group] } : { key: group },
  )
  return (found.coordinators[0] ?? found).nodeId
}
