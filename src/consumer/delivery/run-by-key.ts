import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Inbox } from '../inbox.ts'
import type { PartitionState } from '../partition-state.ts'
import { nextToHandle, type MessageHandler } from './run.ts'

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
export async function runByKey<Value, Key>(
  inbox: Inbox<Value, Key>,
  handler: MessageHandler<Value, Key>,
  concurrency: number,
  signal: AbortSignal | undefined,
  rewind: (state: PartitionState, offset: number) => void,
): Promise<void> {
  const running = new Set<Promise<void>>()
  /** The last one of each key. */
  const lanes = new Map<string, Promise<void>>()
  const works = new Map<PartitionState, Work>()
  let failure: { readonly error: unknown } | undefined
  const isOver = () =>
    failure !== undefined || signal?.aborted === true || inbox.failure !== undefined

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
  const start = (state: PartitionState) => {
    const next = nextToHandle(inbox, state)
    inbox.release(state)
    if (next === undefined) return
    const { message, raw } = next
    const { offset, key } = raw
    const work = workOn(state)
    work.unfinished.add(offset)
    work.running++
    const { jumps } = state
    const lane = key === null ? undefined : `${state.name} ${key.toString('latin1')}`
    const before = lane === undefined ? undefined : lanes.get(lane)
    const handle = async () => {
      await before
      if (isOver() || !state.isHandedOver || state.jumps !== jumps || !inbox.mayHandOver) return
      await handler(message)
      work.unfinished.delete(offset)
    }
    const done = handle()
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => {
        running.delete(done)
        if (lane !== undefined && lanes.get(lane) === done) lanes.delete(lane)
        finish(state, work)
        inbox.wake()
      })
    running.add(done)
    if (lane !== undefined) lanes.set(lane, done)
  }

  try {
    while (!isOver()) {
      const state = running.size < concurrency ? inbox.claim() : undefined
      if (state !== undefined) start(state)
      else if (running.size === 0 && inbox.isFinished) return
      else await inbox.arrival(undefined, signal)
    }
  } finally {
    await Promise.all(running)
  }
  if (failure !== undefined) throw failure.error
  if (inbox.failure !== undefined) throw inbox.failure
  signal?.throwIfAborted()
}
