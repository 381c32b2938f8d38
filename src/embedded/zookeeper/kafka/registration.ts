import { InvalidArgumentError } from '../../../errors.ts'
import type { ClusterState } from '../../cluster/cluster-state.ts'
import type { SecurityProtocol } from '../../security/options.ts'
import type { EmbeddedZooKeeper, LocalSession } from '../embedded-zookeeper.ts'
import {
  brokerNode,
  clusterIdNode,
  controllerNode,
  featureNode,
  folders,
  stateNode,
  topicConfigNode,
  topicNode,
} from './znodes.ts'

const NO_CONTROLLER = -1

/**
 * Registers an embedded cluster's brokers, controller and topics in a ZooKeeper, for clients that
 * look for them there. The state of the cluster is authoritative: after each of its changes, the
 * nodes that differ are written again.
 */
export class KafkaRegistration {
  readonly #zookeeper: EmbeddedZooKeeper
  readonly #chroot: string
  readonly #cluster: ClusterState
  readonly #security: SecurityProtocol
  /** The sessions of the running brokers, which own their nodes. */
  readonly #sessions = new Map<number, LocalSession>()
  #controllerId = NO_CONTROLLER
  #controllerEpoch = 0
  readonly #topics = new Set<string>()
  /** The last written data of a node; for partition states without the controller epoch. */
  readonly #written = new Map<string, string>()

  /** Throws InvalidArgumentError if another cluster is registered. */
  constructor(
    zookeeper: EmbeddedZooKeeper,
    chroot: string,
    cluster: ClusterState,
    security: SecurityProtocol,
  ) {
    this.#zookeeper = zookeeper
    this.#chroot = chroot
    this.#cluster = cluster
    this.#security = security
    if ((zookeeper.node(this.#path('/brokers/ids'))?.children ?? []).length > 0) {
      throw new InvalidArgumentError(
        `another cluster is registered at ${this.hosts}: set zookeeperChroot for one of them`,
      )
    }
    const { version } = cluster.settings.profile
    for (const path of folders(version)) this.#writeOnce(path, null)
    this.#writeOnce('/cluster/id', clusterIdNode(version, cluster.clusterId))
    this.#writeOnce('/feature', featureNode(version))
  }

  /** The addresses for clients, including the chroot. */
  get hosts(): string {
    return this.#zookeeper.hosts + this.#chroot
  }

  /** Called after each change of the cluster. */
  update(): void {
    this.#updateBrokers()
    this.#updateController()
    this.#updateTopics()
  }

  /** Removes the brokers. Topics remain, as in a real cluster. */
  close(): void {
    for (const session of this.#sessions.values()) session.close()
    this.#sessions.clear()
  }

  get #version() {
    return this.#cluster.settings.profile.version
  }

  #updateBrokers(): void {
    for (const broker of this.#cluster.brokers.all) {
      const session = this.#sessions.get(broker.id)
      if (broker.isAlive && session === undefined) {
        const opened = this.#zookeeper.openSession()
        this.#sessions.set(broker.id, opened)
        const path = this.#path(`/brokers/ids/${broker.id}`)
        this.#zookeeper.create(path, brokerNode(this.#version, broker, this.#security), opened)
      } else if (!broker.isAlive && session !== undefined) {
        this.#sessions.delete(broker.id)
        session.close()
      }
    }
  }

  #updateController(): void {
    const { controllerId } = this.#cluster.brokers
    const session = this.#sessions.get(controllerId)
    const hasNode = this.#zookeeper.node(this.#path('/controller')) !== undefined
    if (session === undefined || (hasNode && controllerId === this.#controllerId)) return
    this.#controllerId = controllerId
    if (hasNode) this.#zookeeper.delete(this.#path('/controller'))
    const data = controllerNode(this.#version, controllerId)
    this.#zookeeper.create(this.#path('/controller'), data, session)
    this.#write('/controller_epoch', String(++this.#controllerEpoch))
  }

  #updateTopics(): void {
    const { all } = this.#cluster.topics
    for (const topic of all) {
      this.#topics.add(topic.name)
      const folder = `/brokers/topics/${topic.name}`
      this.#write(folder, topicNode(this.#version, topic))
      this.#write(`/config/topics/${topic.name}`, topicConfigNode(topic))
      for (const partition of topic.partitions) {
        // The controller epoch is that of the change: a new controller does not rewrite unchanged
        // states.
        const path = `${folder}/partitions/${partition.index}/state`
        this.#write(path, stateNode(partition, this.#controllerEpoch), stateNode(partition, 0))
      }
    }
    const names = new Set(all.map(({ name }) => name))
    for (const name of [...this.#topics].filter((one) => !names.has(one))) {
      this.#topics.delete(name)
      this.#remove(`/brokers/topics/${name}`)
      this.#remove(`/config/topics/${name}`)
    }
  }

  #writeOnce(path: string, data: string | null | undefined): void {
    const full = this.#path(path)
    if (data !== undefined && this.#zookeeper.node(full) === undefined) {
      this.#zookeeper.create(full, data)
    }
  }

  #write(path: string, data: string, key = data): void {
    const full = this.#path(path)
    if (this.#zookeeper.node(full) === undefined) this.#zookeeper.create(full, data)
    else if (this.#written.get(full) !== key) this.#zookeeper.setData(full, data)
    this.#written.set(full, key)
  }

  #remove(path: string): void {
    const full = this.#path(path)
    if (this.#zookeeper.node(full) !== undefined) this.#zookeeper.delete(full)
    for (const written of this.#written.keys()) {
      if (written === full || written.startsWith(`${full}/`)) this.#written.delete(written)
    }
  }

  #path(path: string): string {
    return this.#chroot + path
  }
}
