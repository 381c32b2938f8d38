/** What differs between groups that ZooKeeper coordinates and those that Kafka does: made from options here. */
import type { Cluster } from '../cluster/cluster.ts'
import type { OffsetStore } from '../consumer/offsets/offset-store.ts'
import { offsetStoreOf, type ConsumerOptions } from '../consumer/options.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { znodeNameProblem } from '../cluster/zookeeper-hosts.ts'
import { InvalidArgumentError } from '../errors.ts'
import type { CoordinatorFactory } from './coordinator.ts'
import { groupCoordinator, type GroupCoordinator } from './group/group-coordinator.ts'
import { GroupOffsets } from './group/group-offsets.ts'
import { groupOptionChecks, groupSettings, type GroupOptions } from './group/settings.ts'
import { OwnedOffsets } from './owned-offsets.ts'
import type { Subscription } from './subscription.ts'
import { ZooKeeperCoordinator } from './zookeeper/coordinator.ts'
import { decisionOf } from './zookeeper/membership-protocol.ts'
import {
  newMemberId,
  sessionOptions,
  ZOOKEEPER_CHECKS,
  type ZooKeeperOptions,
} from './zookeeper/options.ts'

export interface Coordination {
  /** For the machine. */
  readonly makeCoordinator: CoordinatorFactory
  /** How long joining may take because the group waits for members that are there already. */
  readonly longestRebalanceMs: number
  /** Where the group's offsets are kept. To be called when the coordinator is made. */
  offsets(owns: (partition: TopicPartition) => boolean): OffsetStore
}

/** What of the options of a balanced consumer it takes to coordinate one. */
export type CoordinationOptions = ZooKeeperOptions &
  GroupOptions &
  ConsumerOptions<unknown, unknown> & {
    readonly consumerGroup: string
    readonly managed?: boolean
  }

export function coordinationOf(
  cluster: Cluster,
  options: CoordinationOptions,
  subscription: Subscription,
  busyForMs: () => number,
): Coordination {
  const isManaged = options.managed === true
  const others = Object.keys(isManaged ? ZOOKEEPER_CHECKS : groupOptionChecks)
  const wrong = Object.entries(options).find(
    ([name, value]) => value !== undefined && others.includes(name),
  )
  if (wrong !== undefined) {
    const whose = isManaged
      ? 'ZooKeeper coordinates: leave managed out'
      : 'Kafka coordinates: add managed: true'
    throw new InvalidArgumentError(
      `getBalancedConsumer: option '${wrong[0]}' is for groups that ${whose}`,
    )
  }
  return isManaged
    ? byKafka(cluster, options, subscription, busyForMs)
    : byZooKeeper(cluster, options, subscription)
}

function byZooKeeper(
  cluster: Cluster,
  options: CoordinationOptions,
  subscription: Subscription,
): Coordination {
  const { consumerGroup: group, membershipProtocol = 'range' } = options
  const problem = znodeNameProblem(group)
  if (problem !== undefined) {
    throw new InvalidArgumentError(
      `consumerGroup '${group}' cannot be the name of a znode: it ${problem}`,
    )
  }
  const coordinatorOptions = {
    group,
    memberId: newMemberId(),
    subscription,
    decide: decisionOf(membershipProtocol),
    session: sessionOptions(options),
    metadataMaxAgeMs: cluster.options.metadataMaxAgeMs,
    logger: cluster.options.logger,
  }
  return {
    makeCoordinator: (events) => new ZooKeeperCoordinator(coordinatorOptions, events),
    // Members do not wait for each other here.
    longestRebalanceMs: 0,
    offsets(owns) {
      // Asked for each attempt: one that is tried again for long must not outlive the ownership.
      const store = required(offsetStoreOf(cluster, options))
      return new OwnedOffsets(store, owns)
    },
  }
}

function byKafka(
  cluster: Cluster,
  options: CoordinationOptions,
  subscription: Subscription,
  busyForMs: () => number,
): Coordination {
  if (options.offsetsStorage === 'zookeeper') {
    throw new InvalidArgumentError(
      "offsetsStorage: 'zookeeper' is for groups that ZooKeeper coordinates: leave managed or offsetsStorage out",
    )
  }
  const { consumerGroup: groupId, clientRack } = options
  const settings = groupSettings(options, { groupId, subscription, clientRack, busyForMs })
  let coordinator: GroupCoordinator | undefined
  return {
    longestRebalanceMs: settings.maxPollIntervalMs,
    makeCoordinator: groupCoordinator(cluster, settings, (made) => {
      coordinator = made
    }),
    offsets(owns) {
      const store = new GroupOffsets(required(coordinator), (membership) =>
        required(offsetStoreOf(cluster, options, membership)),
      )
      return new OwnedOffsets(store, owns)
    },
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined)
    throw new InvalidArgumentError('a balanced consumer needs a consumerGroup')
  return value
}
