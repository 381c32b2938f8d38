/**
 * Requests about many items (topics, partitions, groups) of which each broker answers for some. They are split by
 * broker, sent at the same time, and merged item by item. Items that may succeed later are sent again until the
 * caller's deadline; the others keep their error. Every item has an outcome.
 */
import { ErrorCode } from '../../protocol/errors.ts'
import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { bounded } from '../async/bounded.ts'
import type { Deadline } from '../async/deadline.ts'
import { eachOf } from '../async/each-of.ts'
import { BrokerError, isRetriable, KafkaError, RequestTimeoutError } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import { TookTooLongError } from '../async/limited.ts'
import { appendTo } from './append-to.ts'
import type { BrokerPool } from './broker-pool.ts'
import { recipientOf, type Recipient } from './recipient.ts'
import { reportRetry } from './retry.ts'
import type { Router } from './router.ts'
import { isCoordinator, type BrokerTarget, type Target } from './target.ts'

/** The outcome of one item: a result, or its last error. */
export type Outcome<Item, Result> =
  | { readonly item: Item; readonly result: Result; readonly error?: undefined }
  | { readonly item: Item; readonly result?: undefined; readonly error: KafkaError }

export interface FanOutSettings<Item, Result> {
  readonly items: readonly Item[]
  /** The broker that answers for an item. */
  readonly to: (item: Item) => Target
  /** What the call does, for errors, events and logs: `describing groups`. */
  readonly what: string
  /** One deadline for all items and attempts. */
  readonly deadline: Deadline
  /** Whether an item with this error is sent again after this many attempts. Default: if the error is retriable. */
  readonly retry?: (error: KafkaError, attempts: number) => boolean
  /** The maximum number of retries of an item. Default: until the deadline. */
  readonly maxRetries?: number
  /** The waits between attempts. Default: the client's `retryBackoffMs` and `retryBackoffMaxMs`. */
  readonly backoff?: BackoffOptions
  /** The maximum number of items in one request. Default: no limit. */
  readonly maxItems?: number
  /** Sends one request about these items. An error that it throws becomes the error of each of them. */
  readonly ask: (
    items: readonly Item[],
    recipient: Recipient,
  ) => Promise<readonly Outcome<Item, Result>[]>
}

/** A broker that did not answer. */
export interface BrokerFailure {
  /** The node id. */
  readonly broker: number
  /** Why the broker did not respond. */
  readonly error: KafkaError
}

export interface FromEveryBroker<Result> {
  readonly answers: readonly { readonly broker: number; readonly result: Result }[]
  readonly incomplete: readonly BrokerFailure[]
}

/** The maximum number of brokers that are asked at the same time. */
const MAX_CONCURRENT = 32

export class FanOut {
  readonly #pool: BrokerPool
  readonly #router: Router

  constructor(pool: BrokerPool, router: Router) {
    this.#pool = pool
    this.#router = router
  }

  /** Resolves with the outcome of each item, in the order of the items. Rejects only when it is aborted. */
  run<Item, Result>(
    settings: FanOutSettings<Item, Result>,
  ): Promise<readonly Outcome<Item, Result>[]> {
    return this.#untilDone(settings, false)
  }

  /**
   * Resolves with the results of all items, in the order of the items. Throws the first error that is not retriable,
   * without further attempts for the other items, or the error of an item that still fails at the deadline.
   */
  async all<Item, Result>(settings: FanOutSettings<Item, Result>): Promise<readonly Result[]> {
    const outcomes = await this.#untilDone(settings, true)
    const errors = outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]))
    const failure = errors.find((error) => !isRetriable(error)) ?? errors[0]
    if (failure !== undefined) throw failure
    return outcomes.flatMap((outcome) => (outcome.error === undefined ? [outcome.result] : []))
  }

  async #untilDone<Item, Result>(
    settings: FanOutSettings<Item, Result>,
    endsAtFailure: boolean,
  ): Promise<readonly Outcome<Item, Result>[]> {
    const { items, what, deadline, retry = isRetriable, maxRetries = Infinity } = settings
    const { options: reporting } = this.#pool
    const { backoff = reporting.backoff } = settings
    const outcomes = new Map<Item, Outcome<Item, Result>>()
    let pending = items
    for (let attempt = 0; pending.length > 0; attempt++) {
      const waitMs = backoffMs(attempt, backoff)
      for (const outcome of await this.#round(pending, settings)) {
        const before = outcomes.get(outcome.item)?.error
        // The reason is the cluster's last error for the item, whether the time ended in a wait or in an attempt. An
        // attempt may end up to a millisecond before the deadline, because timers have no fractions.
        const isLate = outcome.error instanceof RequestTimeoutError && !deadline.leaves(waitMs)
        if (!(isLate && before instanceof BrokerError)) outcomes.set(outcome.item, outcome)
      }
      const failed = pending.filter((item) => outcomes.get(item)?.error !== undefined)
      // Each failed item has an error.
      const again = failed.filter((item) => retry(outcomes.get(item)!.error!, attempt + 1))
      if (again.length === 0 || attempt >= maxRetries || !deadline.leaves(waitMs)) break
      if (endsAtFailure && again.length < failed.length) break
      // As above.
      const error = outcomes.get(again[0]!)!.error!
      if (this.#pool.wasNeverReached(error)) break
      reportRetry(reporting, { what, attempt: attempt + 1, waitMs, error })
      await deadline.sleep(waitMs)
      pending = again
    }
    return items.map((item) => outcomes.get(item)!)
  }

  /**
   * Sends the same request to every broker of the cluster. Brokers that still fail at the deadline are in `incomplete`,
   * each with its error: the merged result lacks their part. Brokers that are known already are asked while the list of
   * brokers is refreshed, so that a call takes one round trip instead of two. The list is of a moment within the call:
   * a broker that registered before it, as far as the broker that returned the list knew, is asked or in `incomplete`.
   */
  async everyBroker<Result>(settings: {
    readonly what: string
    readonly deadline: Deadline
    readonly ask: (recipient: Recipient) => Promise<Result>
  }): Promise<FromEveryBroker<Result>> {
    const { what, deadline, ask } = settings
    const early = new Map<Broker, Promise<Result>>()
    await within(deadline, what, () => {
      for (const broker of [...this.#pool.brokers.values()].slice(0, MAX_CONCURRENT)) {
        const asked = ask(recipientOf(this.#pool, broker))
        // It counts only if the refreshed list has the broker, at the same address.
        asked.catch(() => undefined)
        early.set(broker, asked)
      }
      return this.#router.refreshBrokers(deadline)
    })
    const outcomes = await this.run<number, Result>({
      items: [...this.#pool.brokers.keys()].sort((a, b) => a - b),
      to: (broker) => ({ broker }),
      what,
      deadline,
      ask: async ([item], recipient) => {
        const { broker } = recipient
        const first = broker === undefined ? undefined : early.get(broker)
        if (broker !== undefined) early.delete(broker)
        return [{ item: item!, result: await (first ?? ask(recipient)) }]
      },
    })
    const answers: { broker: number; result: Result }[] = []
    const incomplete: BrokerFailure[] = []
    for (const { item, result, error } of outcomes) {
      if (error === undefined) answers.push({ broker: item, result })
      else incomplete.push({ broker: item, error })
    }
    return { answers, incomplete }
  }

  async #round<Item, Result>(
    items: readonly Item[],
    settings: FanOutSettings<Item, Result>,
  ): Promise<readonly Outcome<Item, Result>[]> {
    const { maxItems = Infinity } = settings
    const { found, outcomes } = await this.#locate(items, settings)
    const byBroker = new Map<Broker | undefined, Item[]>()
    for (const item of items) if (found.has(item)) appendTo(byBroker, found.get(item), item)
    const parts = [...byBroker].flatMap(([broker, ofBroker]) =>
      inParts(ofBroker, maxItems).map((part) => ({ broker, part })),
    )
    await eachOf(parts, MAX_CONCURRENT, async ({ broker, part }) => {
      for (const outcome of await this.#ask(broker, part, settings)) outcomes.push(outcome)
    })
    await this.#forgetMoved(outcomes, settings)
    return outcomes
  }

  /**
   * Finds the broker of each item. Known brokers need no promise and no timer, because there may be 20,000 partitions.
   * The others are looked up together, and an item without a broker gets its outcome here.
   */
  async #locate<Item, Result>(
    items: readonly Item[],
    { to, what, deadline }: FanOutSettings<Item, Result>,
  ): Promise<{ found: Map<Item, Broker | undefined>; outcomes: Outcome<Item, Result>[] }> {
    const router = this.#router
    const found = new Map<Item, Broker | undefined>()
    const unknown: { readonly item: Item; readonly target: BrokerTarget }[] = []
    for (const item of items) {
      const target = router.resolved(to(item))
      const broker = router.known(target)
      if (target === 'any' || broker !== undefined) found.set(item, broker)
      else unknown.push({ item, target })
    }
    const outcomes: Outcome<Item, Result>[] = []
    if (unknown.length === 0) return { found, outcomes }
    let failures: ReadonlyMap<string, KafkaError> = new Map()
    let late: KafkaError | undefined
    try {
      const { target } = unknown[0]!
      const isAlone = new Set(items.map((item) => router.placeOf(to(item)))).size === 1
      // Not also limited here: this limit and that of the lookup would race, and only the lookup knows the reason.
      if (isAlone && isCoordinator(target)) await router.lookUpCoordinator(target, deadline)
      else {
        failures = await within(deadline, what, () =>
          router.lookUp(unknown.map((one) => one.target)),
        )
      }
    } catch (error) {
      late = asKafkaError(error, deadline)
    }
    for (const { item, target } of unknown) {
      const broker = router.known(target)
      if (broker !== undefined) found.set(item, broker)
      else {
        const error = late ?? failures.get(router.placeOf(target)) ?? router.missing(target)
        outcomes.push({ item, error })
      }
    }
    return { found, outcomes }
  }

  /**
   * Looks up once for each topic, key or controller, no matter how many items failed: a broker that lost thousands of
   * partitions must not cause as many lookups. A lookup that takes longer than the deadline continues by itself.
   */
  async #forgetMoved<Item, Result>(
    outcomes: readonly Outcome<Item, Result>[],
    { to, what, deadline }: FanOutSettings<Item, Result>,
  ): Promise<void> {
    const router = this.#router
    const moved = new Map<string, () => Promise<void>>()
    for (const { item, error } of outcomes) {
      if (error === undefined) continue
      const target = router.resolved(to(item))
      const key = `${router.placeOf(target)} ${error.code}`
      if (!moved.has(key)) moved.set(key, () => router.forgetIfMoved(target, error))
    }
    const forgetting = Promise.all([...moved.values()].map((forget) => forget()))
    try {
      await within(deadline, what, () => forgetting)
    } catch (error) {
      // The items have their errors already; only an abort ends the call.
      asKafkaError(error, deadline)
    }
  }

  async #ask<Item, Result>(
    broker: Broker | undefined,
    items: readonly Item[],
    { ask, what, deadline }: FanOutSettings<Item, Result>,
  ): Promise<readonly Outcome<Item, Result>[]> {
    const recipient = recipientOf(this.#pool, broker)
    try {
      const answered = await within(deadline, what, () => ask(items, recipient))
      // Results of other items, and second results of the same item, are ignored.
      const found = new Map(answered.map((outcome) => [outcome.item, outcome]))
      const detail = 'the response does not mention it'
      const context = { broker: broker?.name }
      const code = ErrorCode.UNKNOWN_SERVER_ERROR
      return items.map(
        (item) => found.get(item) ?? { item, error: new BrokerError(code, what, context, detail) },
      )
    } catch (problem) {
      const error = asKafkaError(problem, deadline)
      return items.map((item) => ({ item, error }))
    }
  }
}

/**
 * Waits until the deadline at most, and then throws RequestTimeoutError. Starts nothing after the deadline, because the
 * brokers in a response may be very many.
 */
async function within<T>(deadline: Deadline, what: string, run: () => Promise<T>): Promise<T> {
  deadline.signal?.throwIfAborted()
  const late = `${what} took longer than ${deadline.timeoutMs} ms`
  if (deadline.remainingMs <= 0) throw new RequestTimeoutError(late, {})
  try {
    return await bounded(deadline.remainingMs, deadline.signal, run)
  } catch (error) {
    if (!(error instanceof TookTooLongError)) throw error
    throw new RequestTimeoutError(late, { cause: error })
  }
}

/** An abort ends the whole call with the signal's reason; other errors belong to the items. */
function asKafkaError(error: unknown, deadline: Deadline): KafkaError {
  deadline.signal?.throwIfAborted()
  if (error instanceof KafkaError) return error
  throw error
}

function inParts<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  if (items.length <= size) return [items]
  const parts: (readonly Item[])[] = []
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size))
  return parts
}
