import type { Admin } from './admin/admin.ts'
import type { ApiVersionRange } from './admin/cluster.ts'
import { begin, type AdminContext } from './admin/context.ts'
import type { GroupDescription } from './admin/group-description.ts'
import type { DescribeGroupsOptions } from './admin/described-group.ts'
import type { GroupList, ListGroupsOptions } from './admin/list-groups.ts'
import { Brokers, ClusterBroker } from './brokers.ts'
import { CALL_OPTIONS, type CallOptions } from './call-options.ts'
import type { OptionTable } from './option-table.ts'
import { aString, oneOf, checkValue } from './options.ts'
import type { Topics } from './topics.ts'

/** The options of `cluster.coordinator()`. */
export interface CoordinatorOptions extends CallOptions {
  /** What the key names: a group, or a transactional id (Kafka 0.11 or newer). Default: `group`. */
  readonly kind?: 'group' | 'transaction'
}

/** The checks and defaults of `CoordinatorOptions`. */
export const COORDINATOR_OPTIONS = {
  ...CALL_OPTIONS,
  kind: { check: oneOf('group', 'transaction'), default: 'group' },
} as const satisfies OptionTable<CoordinatorOptions>

/** The cluster of a client, as `client.cluster`: pykafka's `Cluster`. `client.admin` has more operations. */
export class KafkaCluster {
  /** The brokers: the same as `client.brokers`. */
  readonly brokers: Brokers
  /** The topics: the same as `client.topics`. */
  readonly topics: Topics
  readonly #context: AdminContext
  readonly #admin: Admin

  /** @internal The client creates it. */
  constructor(context: AdminContext, admin: Admin, topics: Topics) {
    this.#context = context
    this.#admin = admin
    this.topics = topics
    this.brokers = new Brokers(context.cluster, admin)
  }

  /**
   * Returns the cluster's id; undefined before Kafka 0.10.1. Throws ClosedError, BrokerError,
   * NoBrokersAvailableError, RequestTimeoutError.
   */
  async id(call: CallOptions = {}): Promise<string | undefined> {
    return (await this.#admin.describeCluster(call)).clusterId
  }

  /**
   * Returns the broker that is the controller for clients; undefined if there is none at the moment, and before Kafka
   * 0.10. In KRaft clusters it is any broker, which forwards requests. Throws as `id` does.
   */
  async controller(call: CallOptions = {}): Promise<ClusterBroker | undefined> {
    const { controller, brokers } = await this.#admin.describeCluster(call)
    const found = brokers.find(({ broker }) => broker === controller)
    return found && new ClusterBroker(this.#context.cluster, this.#admin, found)
  }

  /**
   * Returns the broker that coordinates a group and stores its offsets, or that coordinates a transactional id.
   * Throws as `id` does, and InvalidArgumentError.
   */
  async coordinator(key: string, options: CoordinatorOptions = {}): Promise<ClusterBroker> {
    const operation = 'coordinator'
    const { deadline, kind } = begin(this.#context, operation, options, COORDINATOR_OPTIONS)
    checkValue('coordinator: the group id', key, aString)
    const { cluster } = this.#context
    cluster.coordinators.forget(kind, key)
    const { nodeId, address, rack } = await cluster.coordinators.of(kind, key, deadline)
    return new ClusterBroker(cluster, this.#admin, {
      broker: nodeId,
      ...address,
      ...(rack === null ? {} : { rack }),
    })
  }

  /**
   * Returns the versions of each API that one of the brokers supports, by key (Kafka 0.10 or newer);
   * `broker.apiVersions()` asks a specific broker. Throws as `id` does, and UnsupportedVersionError.
   */
  async apiVersions(call: CallOptions = {}): Promise<readonly ApiVersionRange[]> {
    const { deadline } = begin(this.#context, 'apiVersions', call, CALL_OPTIONS)
    // At its first use, because it knows every API by name.
    const { apiVersionsOf } = await import('./admin/cluster.ts')
    return apiVersionsOf(this.#context.cluster, deadline)
  }

  /** The groups of all brokers: the same as `client.admin.listGroups()`. */
  listGroups(options: ListGroupsOptions = {}): Promise<GroupList> {
    return this.#admin.listGroups(options)
  }

  /** Groups with their members and assignments: the same as `client.admin.describeGroups()`. */
  describeGroups(
    groups: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<readonly GroupDescription[]> {
    return this.#admin.describeGroups(groups, options)
  }

  /**
   * Looks up the brokers, the controller, and the leaders of the topics that the client knows. The client also does
   * this by itself after errors and every `metadataMaxAgeMs`; call it if you need current data at once. Throws as
   * `id` does.
   */
  async update(call: CallOptions = {}): Promise<void> {
    const { deadline } = begin(this.#context, 'updateCluster', call, CALL_OPTIONS)
    await this.#context.cluster.router.refreshAll(deadline)
  }
}
