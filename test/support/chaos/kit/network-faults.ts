/** What happens between clients and brokers. */
import { connect } from 'node:net'
import { once } from 'node:events'
import { EmbeddedCluster } from '../../../../src/embedded/index.ts'
import { waitFor } from '../../kafka/wait.ts'
import { PATIENCE_MS } from '../../patience.ts'
import type { Fault, FaultContext } from './fault.ts'
import type { Gate, GateMode } from './gate.ts'
import { strike } from './node-faults.ts'

function gateOf({ gate }: FaultContext): Gate {
  if (gate === undefined) throw new Error('the clients of this scenario come through no gate')
  return gate
}

/**
 * This many connections show that a broker's address was not what it seemed. Not more: a client that finds other leaders
 * at once does not connect to that address again.
 */
const SOME = 3

/** Waits until something was counted so often. */
async function counted(what: string, count: () => number, wanted: number): Promise<string> {
  await waitFor(() => (count() >= wanted ? true : undefined), {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error(`${what}: ${count()}, not ${wanted}`),
  })
  return `${what}: ${count()}`
}

const gateFault =
  (mode: GateMode, wanted: number, what: string): Fault =>
  async (context) => {
    const gate = gateOf(context)
    const before = gate.counts[mode.what]
    await gate.set(mode)
    return {
      proof: await counted(what, () => gate.counts[mode.what] - before, wanted),
      heal: () => gate.set({ what: 'pass' }),
    }
  }

/** 100 ms on whatever comes, in both directions. */
export const slowNetwork: Fault = gateFault({ what: 'delay', ms: 100 }, 500, 'delayed packets')

export const shortLived: Fault = gateFault(
  { what: 'short-lived', fromMs: 500, toMs: 500 },
  200,
  'connections of half a second',
)

/** Nothing comes through and nothing is refused: by the kernel in a namespace, else by the gate. */
export const blackHole: Fault = async (context) => {
  const { namespace } = context
  if (namespace === undefined) {
    return gateFault({ what: 'swallow' }, 20, 'swallowed packets')(context)
  }
  namespace.blackHole()
  const packets = () => namespace.droppedPackets
  return {
    proof: await counted('packets dropped by the kernel', packets, 20),
    heal: () => {
      namespace.heal()
      return Promise.resolve()
    },
  }
}

export const refusal: Fault = async (context) => {
  const gate = gateOf(context)
  const { listen } = context.cluster.routes[0]!
  const before = gate.counts.refuse
  await gate.set({ what: 'refuse' })
  const socket = connect(Number(listen), '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  if (error.code !== 'ECONNREFUSED') throw error
  const ended = gate.counts.refuse - before
  if (ended === 0) throw new Error('no connection ended')
  return {
    proof: `${ended} connections ended, new ones get ${error.code}`,
    heal: () => gate.set({ what: 'pass' }),
  }
}

/** As load balancers and container proxies do: the address accepts connections though its broker is down. */
export const acceptsAndCloses: Fault = async (context) => {
  const gate = gateOf(context)
  const { cluster, topics, random } = context
  const id = random.pick(cluster.kafka.brokerIds)
  const { listen } = cluster.routes[id - 1]!
  const before = gate.counts.close
  await gate.set({ what: 'close' }, listen)
  const { proof, heal } = await strike(cluster, 'kill', id, topics)
  const accepted = () => gate.counts.close - before
  const closed = await counted('connections accepted and closed', accepted, SOME)
  return {
    proof: `${proof}; ${closed}`,
    heal: async () => {
      await heal()
      await gate.set({ what: 'pass' }, listen)
    },
  }
}

/** The address of a broker leads to a broker of another cluster, which has a topic of the same name. */
export const anotherCluster: Fault = async (context) => {
  const gate = gateOf(context)
  const { cluster, topic, partitions, random } = context
  const { listen } = cluster.routes[random.below(cluster.routes.length)]!
  const other = await EmbeddedCluster.start({ topics: { [topic]: { partitions } } })
  const before = gate.counts.divert
  const [, port] = other.hosts.split(':')
  await gate.set({ what: 'divert', target: Number(port) }, listen)
  const diverted = () => gate.counts.divert - before
  const proof = await counted('connections to another cluster', diverted, SOME)
  return {
    proof,
    heal: async () => {
      await gate.set({ what: 'pass' }, listen)
      for (let partition = 0; partition < partitions; partition++) {
        const { end } = other.offsetsOf(topic, partition)
        if (end > 0) throw new Error(`${end} messages were written to the other cluster`)
      }
      await other.stop()
    },
  }
}
