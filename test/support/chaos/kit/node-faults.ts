/** Brokers and controllers that are killed, stopped, frozen and restarted. */
import { readFileSync } from 'node:fs'
import { waitFor } from '../../kafka/wait.ts'
import { PATIENCE_MS } from '../../patience.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import { nothingToHeal, type Fault, type FaultContext, type Injected } from './fault.ts'

type Target = 'leader' | 'coordinator' | 'controller'
type Blow = 'kill' | 'terminate' | 'freeze'

async function find(target: Target, context: FaultContext): Promise<number> {
  const { cluster, topic, partitions, group, random } = context
  switch (target) {
    case 'leader':
      return cluster.leaderOf(topic, random.below(partitions))
    case 'coordinator':
      return cluster.coordinatorOf(group)
    case 'controller': {
      const [own] = cluster.kafka.controllerIds
      if (own !== undefined) return own
      const { controller } = await cluster.client.admin.describeCluster()
      if (controller === undefined) throw new Error('the cluster has no controller')
      return controller
    }
  }
}

export const nodeFault =
  (blow: Blow, target: Target): Fault =>
  async (context) => {
    const id = await find(target, context)
    return strike(context.cluster, blow, id, context.topics)
  }

export async function strike(
  cluster: ChaosCluster,
  blow: Blow,
  id: number,
  topics: readonly string[],
): Promise<Injected> {
  const { kafka } = cluster
  const pid = kafka.pidOf(id)
  if (pid === undefined) throw new Error(`node ${id} does not run`)
  if (blow === 'freeze') kafka.pause(id)
  else await kafka.stopBroker(id, blow === 'kill' ? 'SIGKILL' : 'SIGTERM')
  const seen = [blow === 'freeze' ? await isStopped(pid) : isGone(pid)]
  if (kafka.brokerIds.includes(id) && kafka.brokerIds.length > 1) {
    for (const topic of topics) {
      const { partitions } = await cluster.until(
        topic,
        `led by others than ${id}`,
        (found) => found.partitions.every(({ leader }) => leader !== id && leader > 0),
        [id],
      )
      seen.push(`leaders are ${partitions.map(({ leader }) => leader).join(' ')}`)
    }
  }
  return {
    proof: `node ${id}: ${seen.join(', ')}`,
    heal: async () => {
      if (blow === 'freeze') kafka.resume(id)
      else await kafka.startBroker(id)
    },
  }
}

/** Each of its threads has to notice the signal first. */
async function isStopped(pid: number): Promise<string> {
  const state = () => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
  await waitFor(() => (state() === 'T' ? true : undefined), {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error(`process ${pid} is in state ${state()}, not stopped`),
  })
  return `process ${pid} is stopped`
}

function isGone(pid: number): string {
  try {
    process.kill(pid, 0)
  } catch {
    return `process ${pid} is gone`
  }
  throw new Error(`process ${pid} still runs`)
}

/** Each broker once; the controller last, where it is a process of its own. */
export const rollingRestart: Fault = async ({ cluster, topics }) => {
  const proofs: string[] = []
  for (const id of [...cluster.kafka.brokerIds, ...cluster.kafka.controllerIds]) {
    const { proof, heal } = await strike(cluster, 'terminate', id, topics)
    proofs.push(proof)
    await heal()
    await cluster.whole(topics)
  }
  return { proof: proofs.join('; '), heal: nothingToHeal }
}
