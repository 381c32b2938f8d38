import { znodeNameProblem } from '../../cluster/zookeeper-hosts.ts'
import { groupOffsetStore } from '../../consumer/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { GroupProtocol } from '../group-protocol.ts'
import { ZooKeeperCoordinator } from './coordinator.ts'
import { decisionOf } from './membership-protocol.ts'
import { withDefaults } from '../../option-table.ts'
import { newMemberId, sessionOptions, ZOOKEEPER_OPTIONS, type ZooKeeperOptions } from './options.ts'

/** The protocol of groups that ZooKeeper coordinates, as pykafka's do. */
export const zookeeperProtocol: GroupProtocol = {
  options: ZOOKEEPER_OPTIONS,
  groups: 'groups that ZooKeeper coordinates',

  coordinate({ cluster, options, subscription }) {
    const { consumerGroup: group } = options
    const { membershipProtocol } = withDefaults<ZooKeeperOptions, typeof ZOOKEEPER_OPTIONS>(
      options,
      ZOOKEEPER_OPTIONS,
    )
    const problem = znodeNameProblem(group)
    if (problem !== undefined) {
      throw new InvalidArgumentError(
        `consumerGroup '${group}' cannot be the name of a znode: it ${problem}`,
      )
    }
    const { metadataMaxAgeMs, logger, zookeeperHosts } = cluster.options
    const coordinatorOptions = {
      group,
      memberId: newMemberId(),
      subscription,
      decide: decisionOf(membershipProtocol, `group '${group}' in ZooKeeper`, logger),
      session: sessionOptions(options, zookeeperHosts),
      metadataMaxAgeMs,
      logger,
      offsets: groupOffsetStore(cluster, options),
    }
    return (events) => new ZooKeeperCoordinator(coordinatorOptions, events)
  },
}
