import { freePorts } from './ports.ts'
import type { ClusterPlan, NodePlan, SecureListener } from './server-properties.ts'
import { kafkaVersion } from './versions.ts'

export interface PlanOptions {
  readonly version: string
  readonly brokers?: number
  readonly secureListeners?: readonly SecureListener[]
  readonly zookeeper?: boolean
  readonly port?: number
  readonly zookeeperPort?: number
  readonly zookeeperChroot?: string
}

const CONTROLLER_ID = 100

/** Which processes make up the cluster, and the ports of each. */
export async function planCluster(options: PlanOptions): Promise<ClusterPlan> {
  const { brokers: brokerCount = 1, secureListeners = [], port } = options
  if (!Number.isInteger(brokerCount) || brokerCount < 1) {
    throw new Error(`A cluster needs one broker or more, not ${brokerCount}`)
  }
  const version = kafkaVersion(options.version)
  const isKraft = version.coordination === 'kraft'
  const free = await freePorts(brokerCount * (1 + secureListeners.length) + 2)
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
  if (isKraft && !isCombined) nodes.unshift(controllerOnly(controllerPort))
  const withZooKeeper = !isKraft || options.zookeeper === true
  return {
    version,
    brokerCount,
    nodes,
    zookeeperChroot: options.zookeeperChroot ?? '',
    zookeeperPort: withZooKeeper ? (options.zookeeperPort ?? nextPort()) : undefined,
    voter: isKraft ? `${isCombined ? 1 : CONTROLLER_ID}@127.0.0.1:${controllerPort}` : undefined,
  }
}

function controllerOnly(controllerPort: number | undefined): NodePlan {
  return {
    id: CONTROLLER_ID,
    roles: ['controller'],
    port: 0,
    securePorts: new Map(),
    controllerPort,
  }
}
