import { deferred, type Deferred } from '../../async/deferred.ts'
import type { PartitionState } from '../partition-state.ts'
import { nextToHandle, type MessageHandler, type Run } from './run.ts'

/** What handlers are at work on, of one partition. */
interface Work {
  /** Offsets that were begun with or wait for their turn, in the order of the log. */
  readonly unfinished: Set<number>
  running: number
  readonly idle: Deferred<void>
}

/**
 * Hands messages to the handler in the order of their keys: within a partition those with one key are handled one
 * after the other, others at the same time. Those without a key are in nobody's order.
 *
 * What is begun but not finished when it ends, or when a partition is paused, comes again: from the first such
 * message of the partition on, with what was handled behind it.
 */
export function runByKey<Value, Key>(
  run: Run<Value, Key>,
  handler: MessageHandler<Value, Key>,
  rewind: (state: PartitionState, offset: number) => void,
): Promise<void> {
  const { inbox } = run
  /** The last one of each key. */
  const lanes = new Map<string, Promise<void>>()
  const works = new Map<PartitionState, Work>()

  const finish = (state: PartitionState, work: Work) => {
    if (--work.running > 0) return
    works.delete(state)
    state.handling = undefined
    state.firstUnfinished = undefined
    const [first] = work.unfinished
    if (first !== undefined && state.isAssigned) rewind(state, first)
    work.idle.resolve()
  }

  const workOn = (state: PartitionState): Work => {
    const known = works.get(state)
    if (known !== undefined) return known
    const work: Work = { unfinished: new Set(), running: 0, idle: deferred() }
    works.set(state, work)
    state.handling = work.idle.promise
    state.firstUnfinished = () => work.unfinished.values().next().value
    return work
  }

  return run.claimEach((state) => {
    const next = nextToHandle(inbox, state)
    inbox.release(state)
    if (next === undefined) return
    const { message, raw } = next
    const { offset, key } = raw
    const work = workOn(state)
    work.unfinished.add(offset)
    work.running++
    const { moves } = state
    const lane = key === null ? undefined : `${state.name} ${key.toString('latin1')}`
    const before = lane === undefined ? undefined : lanes.get(lane)
    const handle = async () => {
      await before
      if (run.isOver || !state.isHandedOver || state.moves !== moves || !inbox.mayHandOver) return
      await handler(message)
      work.unfinished.delete(offset)
    }
    const done = run.begin(handle(), () => {
      if (lane !== undefined && lanes.get(lane) === done) lanes.delete(lane)
      finish(state, work)
    })
    if (lane !== undefined) lanes.set(lane, done)
  })
}
