import { produce } from '../../../protocol/apis/produce.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { KafkaError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import type { Batch, RecordFormat } from '../accumulator/batch.ts'
import type { ProduceAttempt } from '../accumulator/queued-batch.ts'
import type { ProducerSettings } from '../options.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { ReadyQueues } from '../accumulator/ready-queues.ts'
import type { RecoveryPolicy } from '../recovery/recovery-policy.ts'
import type { Expiry } from './expiry.ts'
import type { Outcomes } from './outcomes.ts'
import { answersTo, maxProduceVersion, produceRequest } from './produce-request.ts'
import { formatOf, refusals, seal, sealedBytes, wireOf } from './seal.ts'

/** The dependencies that all sinks of a producer share. */
export interface SinkContext {
  readonly cluster: Cluster
  readonly settings: ProducerSettings
  /** Takes back partitions that this broker does not lead, or that must wait. */
  readonly ready: ReadyQueues
  readonly policy: RecoveryPolicy
  /** Handles the brokers' responses. */
  readonly outcomes: Outcomes
  readonly expiry: Expiry
}

/** Encoding and compressing run for this long, then the event loop gets a turn. */
const TURN_MS = 6
/**
 * The version of Produce of Kafka 1.0. Older brokers remember only a producer's last batch: of two batches that were
 * stored and not acknowledged, they would report the first as out of order (KAFKA-5494).
 */
const KNOWS_REPEATS_FROM = 5
/**
 * A batch costs about 10 µs, as much as 20 to 30 messages. With this many partitions that get little each, a request
 * waits while another is in flight: with 1,000 partitions a message then costs half as much.
 */
const MANY_BATCHES = 50
const SMALL_BATCH_BYTES = 8 * 1024

/**
 * The producer's view of a broker: the partitions that have something for it, and its requests in flight, `maxInFlight`
 * at most. A request contains the first batch of as many partitions as fit `maxRequestSize`.
 */
export class Sink {
  readonly broker: Broker
  readonly #context: SinkContext
  /** In the order in which they became ready; partitions that were served go to the end. */
  #ready: PartitionQueue<Batch>[] = []
  #inFlight = 0
  /** The version of Produce that the broker supports; undefined until it is known. */
  #version: number | undefined
  #isConnecting = false
  #nextTurn: NodeJS.Immediate | undefined
  #idle: Deferred<void> | undefined

  constructor(broker: Broker, context: SinkContext) {
    this.broker = broker
    this.#context = context
  }

  get format(): RecordFormat | undefined {
    return this.#version === undefined ? undefined : formatOf(this.#version)
  }

  add(queue: PartitionQueue<Batch>): void {
    this.#ready.push(queue)
  }

  /** Sends what can be sent. */
  pump(): void {
    if (this.#ready.length === 0 || this.#nextTurn !== undefined) return
    if (this.#version === undefined) {
      if (!this.#isConnecting) void this.#connect()
      return
    }
    const startedAt = performance.now()
    while (this.#inFlight < this.#context.settings.maxInFlight && this.#ready.length > 0) {
      if (this.#inFlight > 0 && this.#hasManySmallBatches()) return
      const request: ProduceAttempt = { isWritten: false }
      const batches = this.#collect(request, formatOf(this.#version), startedAt)
      if (batches.length > 0) void this.#send(batches, request)
      if (performance.now() - startedAt > TURN_MS) {
        this.#nextTurn = setImmediate(() => {
          this.#nextTurn = undefined
          this.pump()
        })
        return
      }
      if (batches.length === 0) return
    }
  }

  /** Whether many partitions have only small batches. Batches grow while the requests in flight are answered. */
  #hasManySmallBatches(): boolean {
    if (this.#ready.length < MANY_BATCHES) return false
    let bytes = 0
    for (const { batches } of this.#ready) bytes += batches[0]?.sizeBytes ?? 0
    return bytes < this.#ready.length * SMALL_BATCH_BYTES
  }

  /** Resolves when no request is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return (this.#idle ??= deferred()).promise
  }

  stop(): void {
    clearImmediate(this.#nextTurn)
    this.#ready = []
  }

  /** Gets the version of Produce first, because it decides the format of the batches. */
  async #connect(): Promise<void> {
    this.#isConnecting = true
    try {
      const versions = await this.broker.versions('produce')
      this.#version = versions.pick(produce)
    } catch (error) {
      const ready = this.#ready
      this.#ready = []
      for (const queue of ready) {
        queue.delist()
        this.#context.outcomes.unreachable(queue, error as Error)
      }
    }
    this.#isConnecting = false
    this.pump()
  }

  /** Collects the batches of one request. Partitions with nothing to send leave the list. */
  #collect(request: ProduceAttempt, format: RecordFormat, startedAt: number): Batch[] {
    const { cluster, settings, ready: elsewhere } = this.#context
    const { compression, maxRequestSize } = settings
    const knowsRepeats = (this.#version ?? 0) >= KNOWS_REPEATS_FROM
    const ready = this.#ready
    const again: PartitionQueue<Batch>[] = []
    const batches: Batch[] = []
    let bytes = 0
    let at = 0
    for (; at < ready.length; at++) {
      const queue = ready[at]!
      if (cluster.leaderOf(queue.topic, queue.partition) !== this.broker) {
        queue.delist()
        elsewhere.add(queue)
        continue
      }
      const mustWait = queue.inFlight.length > 0 && (!knowsRepeats || queue.sentTo !== this)
      const head = mustWait ? undefined : this.#sendable(queue)
      if (head === undefined || !this.#isSealed(head, format)) {
        queue.delist()
        continue
      }
      if (batches.length > 0 && bytes + sealedBytes(head) > maxRequestSize) break
      queue.take(request, this)
      queue.number(head)
      const wireBytes = wireOf(head, compression).length
      this.#count(head, wireBytes, startedAt)
      bytes += wireBytes
      batches.push(head)
      if (queue.batches.length > 0) again.push(queue)
      else queue.delist()
      if (performance.now() - startedAt > TURN_MS) {
        at++
        break
      }
    }
    this.#ready = [...ready.slice(at), ...again]
    return batches
  }

  #count(batch: Batch, wireBytes: number, startedAt: number): void {
    const { metrics } = this.#context.cluster.options
    const counted = metrics.produced(batch.queue.topic)
    counted.sentBatches++
    counted.sentBytes += wireBytes
    counted.uncompressedBytes += batch.sizeBytes
    metrics.batchBytes.record(wireBytes)
    metrics.batchMessages.record(batch.count)
    if (batch.attempts === 1) metrics.queueDuration.recordMs(startedAt - batch.createdAt)
  }

  /**
   * The batch of a partition that may be sent now: expired batches are removed, and the policy has numbered the
   * partition.
   */
  #sendable(queue: PartitionQueue<Batch>): Batch | undefined {
    const { expiry, policy } = this.#context
    expiry.expire()
    if (queue.isBlocked || queue.next === undefined || !policy.maySend(queue)) return undefined
    const head = queue.next
    return head.isDue || queue.open !== head ? head : undefined
  }

  /** Whether a batch is ready to be written. Starts its preparation if it is not. */
  #isSealed(batch: Batch, format: RecordFormat): boolean {
    if (batch.sealed?.format === format) return true
    const { queue } = batch
    const { outcomes, ready, settings } = this.#context
    queue.close(batch)
    const errors = refusals(batch, this.#version ?? 0, this.broker.name, settings)
    if (errors.size > 0) {
      outcomes.refused(batch, errors)
      return false
    }
    const sealing = seal(batch, format, settings)
    if (sealing === undefined) return true
    queue.isSealing = true
    sealing.then(
      () => {
        queue.isSealing = false
        ready.add(queue)
      },
      (error: unknown) => {
        queue.isSealing = false
        outcomes.failed(batch, error as Error, false)
      },
    )
    return false
  }

  /** The broker was upgraded or downgraded meanwhile: the batches must be encoded again. */
  #changedFormat(version: number): KafkaError {
    this.#version = version
    const reason = `${this.broker.name} supports Produce v${version} since it reconnected`
    return new KafkaError('VERSION_CHANGED', reason, true, { broker: this.broker.name })
  }

  #becomeIdle(): void {
    this.#idle?.resolve()
    this.#idle = undefined
  }

  async #send(batches: readonly Batch[], attempt: ProduceAttempt): Promise<void> {
    const { cluster, settings, policy, outcomes } = this.#context
    const ids = new Map<string, string | undefined>()
    for (const { queue } of batches) {
      if (!ids.has(queue.topic)) ids.set(queue.topic, cluster.known(queue.topic)?.topicId)
    }
    const topicIdOf = (topic: string) => ids.get(topic)
    const body = (version: number) => {
      if (formatOf(version) !== this.format) throw this.#changedFormat(version)
      return produceRequest(batches, settings, topicIdOf, policy.transactionalId, version)
    }
    const options = {
      purpose: 'produce',
      maxVersion: Math.min(policy.maxProduceVersion, maxProduceVersion(batches, topicIdOf)),
      timeoutMs: Math.max(cluster.options.requestTimeoutMs, settings.ackTimeoutMs),
      onWrite: () => {
        if (batches.some(({ isSettled }) => isSettled)) throw tooLate(this.broker.name)
        attempt.isWritten = true
      },
    } as const
    this.#inFlight++
    try {
      if (settings.requiredAcks === 0) {
        await this.broker.send(produce, body, options)
        this.#inFlight--
        for (const batch of batches) outcomes.sent(batch)
      } else {
        const response = await this.broker.request(produce, body, options)
        this.#inFlight--
        const answers = answersTo(batches, response, topicIdOf)
        batches.forEach((batch, index) => outcomes.answered(batch, answers[index], this.broker))
      }
    } catch (error) {
      this.#inFlight--
      for (const batch of batches) outcomes.failed(batch, error as Error, attempt.isWritten)
    }
    if (this.#inFlight === 0) this.#becomeIdle()
    this.pump()
  }
}

/** A batch failed while its request waited for a connection: it was reported as not sent, and must not be sent. */
function tooLate(broker: string): KafkaError {
  const reason = `the delivery timeout of a message ended before the request was sent to ${broker}`
  return new KafkaError('DELIVERY_TIMED_OUT', reason, true, { broker })
}
