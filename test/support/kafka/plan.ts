import { freePorts } from './ports.ts'
import type { ClusterPlan, NodePlan, SecureListener } from './server-properties.ts'
import { kafkaVersion } from './versions.ts'

export interface PlanOptions {
  readonly version: string
  readonly brokers?: number
  /**
   * Controllers beside several brokers, in KRaft. 1 by default. With more, the voters of the quorum can be changed
   * (KIP-853): the first controller is the only voter, and the others are ready to be added.
   */
  readonly controllers?: number
  readonly secureListeners?: readonly SecureListener[]
  readonly zookeeper?: boolean
  readonly port?: number
  readonly zookeeperPort?: number
  readonly zookeeperChroot?: string
}

export const CONTROLLER_ID = 100

/** Which processes make up the cluster, and the ports of each. */
export async function planCluster(options: PlanOptions): Promise<ClusterPlan> {
  const { brokers: brokerCount = 1, controllers = 1, secureListeners = [], port } = options
  if (!Number.isInteger(brokerCount) || brokerCount < 1) {
    throw new Error(`A cluster needs one broker or more, not ${brokerCount}`)
  }
  const version = kafkaVersion(options.version)
  const isKraft = version.coordination === 'kraft'
  const free = await freePorts(brokerCount * (1 + secureListeners.length) + controllers + 1)
  const nextPort = (): number => free.pop()!
  const controllerPort = isKraft ? nextPort() : undefined
  // Beside several brokers the controller is a process of its own, so that any of the brokers can
  // be stopped and the cluster can still choose leaders, as it can with ZooKeeper.
  const isCombined = isKraft && brokerCount === 1
  const nodes: NodePlan[] = Array.from({ length: brokerCount }, (_, index) => ({
    id: index + 1,
    roles: isCombined ? ['broker', 'controller'] : ['broker'],
    port: port === undefined ? nextPort() : port + index,
    securePorts: new Map(secureListeners.map((name) => [name, nextPort()])),
    controllerPort: isCombined ? controllerPort : undefined,
  }))
  if (isKraft && !isCombined) {
    const others = Array.from({ length: controllers - 1 }, (_, index) =>
      controllerOnly(CONTROLLER_ID + 1 + index, nextPort()),
    )
    nodes.unshift(controllerOnly(CONTROLLER_ID, controllerPort), ...others)
  }
  const withZooKeeper = !isKraft || options.zookeeper === true
  return {
    version,
    brokerCount,
    nodes,
    zookeeperChroot: options.zookeeperChroot ?? '',
    zookeeperPort: withZooKeeper ? (options.zookeeperPort ?? nextPort()) : undefined,
    hasDynamicQuorum: controllers > 1,
    voter: isKraft ? `${isCombined ? 1 : CONTROLLER_ID}@127.0.0.1:${controllerPort}` : undefined,
  }
}

function controllerOnly(id: number, controllerPort: number | undefined): NodePlan {
  return {
    id,
    roles: ['controller'],
    port: 0,
    securePorts: new Map(),
    controllerPort,
  }
}
