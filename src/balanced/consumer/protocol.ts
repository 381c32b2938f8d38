import { groupOffsetStore } from '../../consumer/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { GroupProtocol } from '../group-protocol.ts'
import { ConsumerCoordinator } from './coordinator.ts'
import { CONSUMER_GROUP_OPTIONS, consumerGroupSettings } from './settings.ts'

/** Kafka's consumer group protocol (KIP-848), in which the broker assigns partitions: Kafka 4.0 and newer. */
export const consumerProtocol: GroupProtocol = {
  options: CONSUMER_GROUP_OPTIONS,
  groups: 'groups of the consumer protocol (KIP-848)',

  coordinate({ cluster, options, subscription, busyForMs }) {
    if (options.offsetsStorage === 'zookeeper') {
      throw new InvalidArgumentError(
        "offsetsStorage: 'zookeeper' is for groups that ZooKeeper coordinates: omit offsetsStorage",
      )
    }
    const { consumerGroup: groupId, clientRack } = options
    const rest = { groupId, subscription, clientRack, busyForMs }
    const settings = consumerGroupSettings(options, rest)
    return (events) =>
      new ConsumerCoordinator(cluster, settings, events, (member) =>
        groupOffsetStore(cluster, options, member, { fetchesAsMember: true }),
      )
  },
}
