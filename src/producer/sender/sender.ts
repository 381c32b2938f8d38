import type { Cluster } from '../../cluster/cluster.ts'
import { LeaderNotFoundError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import type { Accumulator } from '../accumulator/accumulator.ts'
import type { ProducerSettings } from '../options.ts'
import { IdempotentRecovery } from '../recovery/idempotent.ts'
import type { MakeRecoveryPolicy, RecoveryPolicy } from '../recovery/recovery-policy.ts'
import type { Settlement } from '../results/settlement.ts'
import { Backoffs } from './backoffs.ts'
import { Expiry } from './expiry.ts'
import { Outcomes } from './outcomes.ts'
import { Sink } from './sink.ts'

/**
 * Sends batches to the brokers: passes each partition that has something to send to the sink of its leader. A batch is
 * in one of these states:
 *
 *   filling → ready (full, lingered or flushed) → in flight → acknowledged
 *                          ↑                          ↓
 *                          └── waiting (backoff) ←── failed, retriable
 *                                                     ↓
 *                                              failed permanently
 *
 * The cost depends on the number of batches, not on the number of partitions: a partition with something to send is in
 * one list, the accumulator's or that of its leader's sink, and a queue in the order of time contains what has to
 * happen at a certain time.
 */
export class Sender {
  readonly policy: RecoveryPolicy
  readonly #cluster: Cluster
  readonly #settings: ProducerSettings
  readonly #accumulator: Accumulator
  readonly #backoffs: Backoffs
  readonly #outcomes: Outcomes
  readonly #expiry: Expiry
  readonly #sinks = new Map<Broker, Sink>()
  #lingerTimer: NodeJS.Timeout | undefined

  constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    accumulator: Accumulator,
    settlement: Settlement,
    makePolicy: MakeRecoveryPolicy = (context) => new IdempotentRecovery(context),
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#accumulator = accumulator
    const { ready, incomplete } = accumulator
    const backoffs = new Backoffs(cluster, settings.retryBackoffMs, ready)
    this.#backoffs = backoffs
    this.policy = makePolicy({
      cluster,
      settings,
      resume: (queue) => ready.add(queue),
      retryLater: (queue, error) => {
        backoffs.wait(queue, error)
        ready.add(queue)
      },
    })
    this.#outcomes = new Outcomes(cluster, settings, accumulator, this.policy, backoffs, settlement)
    this.#expiry = new Expiry(incomplete, settings.deliveryTimeoutMs, this.#outcomes)
  }

  /** Passes the ready partitions to the sinks of their leaders. */
  run(): void {
    this.#accumulator.endLinger()
    const sinks = new Set<Sink>()
    for (const queue of this.#accumulator.ready.take()) {
      const { topic, partition } = queue
      const leader = this.#cluster.leaderOf(topic, partition)
      if (leader === undefined) {
        queue.delist()
        const reason = `${topic}-${partition} has no leader`
        this.#outcomes.unreachable(queue, new LeaderNotFoundError(reason, { topic, partition }))
        continue
      }
      const sink = this.#sinkOf(leader)
      sink.add(queue)
      sinks.add(sink)
    }
    for (const sink of sinks) sink.pump()
    this.#watchLinger()
    this.#expiry.watch()
  }

  /**
   * Fails batches that are not in flight with this error, and batches in flight when they would have to be sent again.
   * Resolves when no request is in flight.
   */
  async abort(error: Error): Promise<void> {
    this.#outcomes.beginAbort(error)
    try {
      await Promise.all([...this.#sinks.values()].map((sink) => sink.idle()))
    } finally {
      this.#outcomes.endAbort()
    }
  }

  /** Fails everything that is queued. */
  stop(why: string): void {
    clearTimeout(this.#lingerTimer)
    this.#expiry.stop()
    this.#backoffs.stop()
    for (const sink of this.#sinks.values()) sink.stop()
    this.#outcomes.giveUpAll(why)
    this.#accumulator.ready.stop()
  }

  #sinkOf(leader: Broker): Sink {
    let sink = this.#sinks.get(leader)
    if (sink === undefined) {
      sink = new Sink(leader, {
        cluster: this.#cluster,
        settings: this.#settings,
        ready: this.#accumulator.ready,
        policy: this.policy,
        outcomes: this.#outcomes,
        expiry: this.#expiry,
      })
      this.#sinks.set(leader, sink)
    }
    return sink
  }

  #watchLinger(): void {
    const { nextEndAt } = this.#accumulator.linger
    if (this.#lingerTimer !== undefined || nextEndAt === undefined) return
    this.#lingerTimer = setTimeout(
      () => {
        this.#lingerTimer = undefined
        this.#accumulator.endLinger()
        this.#watchLinger()
      },
      Math.max(0, nextEndAt - performance.now()),
    )
  }
}
