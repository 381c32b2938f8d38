import { groupOffsetStore } from '../../consumer/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { GroupProtocol } from '../group-protocol.ts'
import { ClassicCoordinator } from './coordinator.ts'
import { GROUP_OPTIONS, groupSettings } from './settings.ts'

/** Kafka's classic group protocol (JoinGroup, SyncGroup), Kafka 0.9 and newer. */
export const classicProtocol: GroupProtocol = {
  options: GROUP_OPTIONS,
  groups: 'groups that Kafka coordinates',

  coordinate({ cluster, options, subscription, busyForMs }) {
    if (options.offsetsStorage === 'zookeeper') {
      throw new InvalidArgumentError(
        "offsetsStorage: 'zookeeper' is for groups that ZooKeeper coordinates: omit offsetsStorage",
      )
    }
    const { consumerGroup: groupId, clientRack } = options
    const settings = groupSettings(options, { groupId, subscription, clientRack, busyForMs })
    return (events) =>
      new ClassicCoordinator(cluster, settings, events, (member) =>
        groupOffsetStore(cluster, options, member),
      )
  },
}
