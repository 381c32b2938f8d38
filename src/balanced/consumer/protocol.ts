import { groupOffsetStore } from '../../consumer/options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { GroupContext, GroupProtocol } from '../group-protocol.ts'
import type { CoordinatorEvents } from '../coordinator.ts'
import { ConsumerCoordinator } from './coordinator.ts'
import { CONSUMER_GROUP_OPTIONS, consumerGroupSettings } from './settings.ts'

/** Kafka's consumer group protocol (KIP-848), in which the broker assigns partitions: Kafka 4.0 and newer. */
export const consumerProtocol: GroupProtocol = {
  options: CONSUMER_GROUP_OPTIONS,
  groups: 'groups of the consumer protocol (KIP-848)',
  coordinate: consumerCoordination,
}

/** Throws InvalidArgumentError. */
export function consumerCoordination({
  cluster,
  options,
  subscription,
  busyForMs,
}: GroupContext): (events: CoordinatorEvents) => ConsumerCoordinator {
  if (options.offsetsStorage === 'zookeeper') {
    throw new InvalidArgumentError(
      "offsetsStorage: 'zookeeper' is for groups that ZooKeeper coordinates: omit offsetsStorage",
    )
  }
  const { consumerGroup: groupId, clientRack } = options
  const settings = consumerGroupSettings(options, { groupId, subscription, clientRack, busyForMs })
  return (events) =>
    new ConsumerCoordinator(cluster, settings, events, (member) =>
      groupOffsetStore(cluster, options, member, { fetchesAsMember: true }),
    )
}
