/** What happens to samsa's own processes. */
import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../../kafka/wait.ts'
import { PATIENCE_MS } from '../../patience.ts'
import { BLOCK_MS } from '../workload/plan.ts'
import type { ClientProcess } from '../workload/client-process.ts'
import { nothingToHeal, type Fault, type FaultContext } from './fault.ts'

/** A member and a producer that run. */
function pickBoth({ workload, random }: FaultContext): readonly ClientProcess[] {
  return [workload.readers, workload.producers].map((clients) =>
    random.pick(clients.map(({ process }) => process).filter(({ isAlive }) => isAlive)),
  )
}

/** A member and a producer are killed; others take their places. */
export const killedClients: Fault = async ({ workload, random }) => {
  // A reader without a group has no successor that continues where it was.
  const members = workload.readers.filter(({ plan }) => plan.group !== undefined)
  const reader = random.pick(members.filter(({ process }) => process.isAlive))
  const producer = random.pick(workload.producers.filter(({ process }) => process.isAlive))
  await reader.process.kill()
  await producer.process.kill()
  const group = workload.groupNames.indexOf(reader.plan.group?.name ?? '')
  const successors = [
    workload.startReader(reader.plan.way, group < 0 ? undefined : group),
    workload.startProducer(producer.plan.way),
  ]
  await Promise.all(successors.map(({ process }) => process.started()))
  return {
    proof: `${reader.plan.name} and ${producer.plan.name} ended by SIGKILL`,
    heal: nothingToHeal,
  }
}

/** A member and a producer stand still for longer than the session of the group. */
export const frozenClients: Fault = async (context) => {
  const { workload } = context
  const both = pickBoth(context)
  for (const one of both) one.freeze()
  await waitFor(() => (both.every(({ state }) => state === 'T') ? true : undefined), {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error('the clients do not stop'),
  })
  await delay(2 * workload.sessionTimeoutMs)
  return {
    proof: `${both.map(({ name }) => name).join(' and ')} were stopped`,
    heal: () => {
      for (const one of both) one.continue()
      return Promise.resolve()
    },
  }
}

/** User code blocks the event loop of a member and of a producer for ten seconds. */
export const blockedClients: Fault = async (context) => {
  const { workload } = context
  const both = pickBoth(context)
  const blocks = both.map(({ lines }) => lines.filter(({ what }) => what === 'unblocked').length)
  for (const one of both) one.block()
  await waitFor(
    () => {
      workload.readOn()
      const isOver = both.every(
        ({ lines }, index) =>
          lines.filter(({ what }) => what === 'unblocked').length > blocks[index]!,
      )
      return isOver ? true : undefined
    },
    { timeoutMs: PATIENCE_MS, onTimeout: () => new Error('no client was blocked') },
  )
  return {
    proof: `${both.map(({ name }) => name).join(' and ')} were blocked for ${BLOCK_MS} ms`,
    heal: nothingToHeal,
  }
}
