import type { Admin } from './admin/admin.ts'
import { apiVersionsOf, type ApiVersionRange } from './admin/cluster.ts'
import { begin, type AdminContext } from './admin/context.ts'
import type { GroupDescription } from './admin/group-description.ts'
import type { DescribeGroupsOptions, ListGroupsOptions } from './admin/groups.ts'
import type { GroupList } from './admin/list-groups.ts'
import { Brokers, ClusterBroker } from './brokers.ts'
import type { CallOptions } from './call-options.ts'
import { InvalidArgumentError } from './errors.ts'
import { aString, oneOf, shown } from './options.ts'
import type { Topics } from './topics.ts'

/** The options of `cluster.coordinator()`. */
export interface CoordinatorOptions extends CallOptions {
  /** What the key names: a group, or a transactional id (Kafka 0.11 or newer). Default: `group`. */
  readonly kind?: 'group' | 'transaction'
}

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
    const deadline = begin(this.#context, 'coordinator', options, {
      kind: oneOf('group', 'transaction'),
    })
    const problem = aString(key)
    if (problem !== undefined) {
      throw new InvalidArgumentError(`coordinator: the group id ${problem}, not ${shown(key)}`)
    }
    const { cluster } = this.#context
    const kind = options.kind ?? 'group'
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
    return apiVersionsOf(this.#context.cluster, begin(this.#context, 'apiVersions', call, {}))
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
    const deadline = begin(this.#context, 'updateCluster', call, {})
    await this.#context.cluster.router.refreshAll(deadline)
  }
}
