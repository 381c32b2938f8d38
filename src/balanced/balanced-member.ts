import { abortable } from '../async/abortable.ts'
import { limited, TookTooLongError } from '../async/limited.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { AssignedConsumer } from '../consumer/assigned-consumer.ts'
import { consumerSettings, type ConsumerOptions } from '../consumer/options.ts'
import { inOrder, type TopicPartition } from '../consumer/topic-partition.ts'
import { NotStartedError, RequestTimeoutError, type KafkaError } from '../errors.ts'
import { rebalanceChannel } from '../observe/channels.ts'
import { FirstPartitions } from './first-partitions.ts'
import { coordinationOf, type CoordinationOptions } from './coordination.ts'
import { RebalanceMachine } from './machine.ts'
import { rebalanceSettings, type RebalanceOptions } from './options.ts'
import type { Phase } from './phases.ts'
import type { Reader, RebalanceHooks } from './reader.ts'
import { RebalanceLog } from './rebalance-log.ts'
import type { Subscription } from './subscription.ts'

export interface BalancedMemberParts<Value, Key> {
  readonly cluster: Cluster
  readonly subscription: Subscription
  readonly options: CoordinationOptions & ConsumerOptions<Value, Key> & RebalanceOptions<never>
  /** The application's hooks, with its consumer filled in. */
  readonly hooks: RebalanceHooks
  readonly onClosed: () => unknown
}

/** A consumer of a changing set of partitions, and the machine that changes it: what is inside balanced consumers. */
export class BalancedMember<Value, Key> {
  readonly core: AssignedConsumer<Value, Key>
  readonly #machine: RebalanceMachine
  readonly #parts: BalancedMemberParts<Value, Key>
  readonly #notStarted = new NotStartedError()
  readonly #log: RebalanceLog
  readonly #first = new FirstPartitions()
  #lastHandedOverAt = performance.now()
  #closing: Promise<void> | undefined
  #isClosing = false
  /** What went wrong while it was closed: nobody reads any more who could be told by consume(). */
  readonly #errorsOfClosing: KafkaError[] = []

  constructor(parts: BalancedMemberParts<Value, Key>) {
    const { cluster, subscription, options } = parts
    this.#parts = parts
    // Changed below: only the first partitions of all begin anew with resetOffsetOnStart, as in pykafka.
    const settings = { ...consumerSettings(cluster, options) }
    const busyForMs = () => (this.core.isWaitedFor ? 0 : performance.now() - this.#lastHandedOverAt)
    const coordination = coordinationOf(cluster, options, subscription, busyForMs)
    this.#machine = new RebalanceMachine(coordination.makeCoordinator, {
      ...rebalanceSettings(options),
      reader: this.#reader(() => {
        settings.resetOffsetOnStart = false
      }),
      hooks: this.#hooks(),
      logger: cluster.options.logger,
      onPhase: (phase) => this.#onPhase(phase),
    })
    this.core = new AssignedConsumer(cluster, settings, {
      offsets: coordination.offsets((one) => this.#machine.mayCommit(one)),
      mayHandOver: () => {
        this.#lastHandedOverAt = performance.now()
        return this.#machine.mayDeliver
      },
      onClosed: parts.onClosed,
    })
    this.core.fail(this.#notStarted)
    this.#log = new RebalanceLog(options.consumerGroup, this.#machine.coordinator)
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#machine.assignment].sort(inOrder)
  }

  get isOwnershipCertain(): boolean {
    return this.#machine.mayDeliver
  }

  get memberId(): string {
    return this.#machine.coordinator.memberId
  }

  async start(call: CallOptions): Promise<void> {
    const { cluster, subscription } = this.#parts
    const deadline = deadlineOf(call, cluster.options.operationTimeoutMs)
    // Which error says that one is missing, rather than waiting for it. A pattern may match nothing yet.
    const { names = [] } = subscription
    await Promise.all(names.map((name) => cluster.topic(name, { create: false, deadline })))
    await this.#first.look(subscription)
    this.core.recover(this.#notStarted)
    try {
      await limited(deadline.remainingMs, deadline.signal, (limit) =>
        abortable(this.#machine.start(), limit),
      )
    } catch (error) {
      if (!(error instanceof TookTooLongError)) throw error
      const { name } = this.#machine.coordinator
      throw new RequestTimeoutError(
        `joining ${name} for ${subscription.name} took longer than ${deadline.timeoutMs} ms: it was ${this.#machine.phase}`,
        { cause: error },
      )
    }
  }

  /** Gives back what it has before anything else. Throws what its hooks and commits threw. Safe to call again. */
  close(call: CallOptions): Promise<void> {
    this.#closing ??= this.#close(call)
    return this.#closing
  }

  async #close(call: CallOptions): Promise<void> {
    this.#isClosing = true
    await this.#machine.close()
    await this.core.close(call)
    const [first] = this.#errorsOfClosing
    if (first !== undefined) throw first
  }

  #reader(onAssigned: () => void): Reader {
    const { autoCommitEnable = false } = this.#parts.options
    return {
      prepare: async (partitions, signal) => {
        // A second time where finding the positions, or what came after it, failed.
        await this.core.assign(
          partitions.map((one) => ({ ...one, isHeld: true, isNew: this.#first.isNew(one) })),
          { signal },
        )
        onAssigned()
      },
      start: (partitions) => this.core.release(partitions),
      hold: (partitions) => this.core.settled(partitions),
      commit: async (partitions, signal) => {
        if (autoCommitEnable) await this.core.commitOffsets(partitions, { signal })
      },
      stop: (partitions) => this.core.unassign(partitions),
      resume: () => this.core.lookAgain(),
      report: (error) => {
        if (this.#isClosing) this.#errorsOfClosing.push(error)
        else this.core.report(error)
      },
      fail: (error) => this.core.fail(error),
    }
  }

  #hooks(): RebalanceHooks {
    const { hooks } = this.#parts
    return {
      assigned: (partitions) => {
        this.#log.assigned(partitions)
        return hooks.assigned(partitions)
      },
      revoked: (partitions) => {
        this.#log.revoked(partitions)
        return hooks.revoked(partitions)
      },
      lost: (partitions) => {
        this.#log.lost(partitions)
        return hooks.lost(partitions)
      },
    }
  }

  #onPhase(phase: Phase): void {
    const event = this.#log.phase(phase, this.#machine.assignment)
    if (event === undefined) return
    const { logger } = this.#parts.cluster.options
    const names = (partitions: readonly TopicPartition[]) => partitions.length
    logger.info(
      `${this.#machine.coordinator.name}, member ${event.memberId}: ${event.assignment.length} partitions after ` +
        `${Math.round(event.durationMs)} ms: ${names(event.assigned)} came, ${names(event.revoked)} were given up, ${names(event.lost)} lost`,
    )
    if (rebalanceChannel.hasSubscribers) rebalanceChannel.publish(event)
  }
}
