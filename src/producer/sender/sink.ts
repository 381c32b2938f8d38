import { produce } from '../../../protocol/apis/produce.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import { OVERDUE_MS } from '../../cluster/broker-pool.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { OverdueWatch, type Waiting } from '../../cluster/overdue-watch.ts'
import { KafkaError, RequestTimeoutError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import { asError } from '../../observe/thrown.ts'
import type { Batch, RecordFormat } from '../accumulator/batch.ts'
import type { ProduceAttempt } from '../accumulator/queued-batch.ts'
import type { ProducerSettings } from '../options.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { ReadyQueues } from '../accumulator/ready-queues.ts'
import type { RecoveryPolicy } from '../recovery/recovery-policy.ts'
import type { Expiry } from './expiry.ts'
import type { Outcomes } from './outcomes.ts'
import {
  answersTo,
  maxProduceVersion,
  namedLeaders,
  produceRequest,
  topicIdsOf,
} from './produce-request.ts'
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

/** Encoding and compressing run for this long, then the event loop gets a turn. One more batch may take 1 to 2 ms. */
const TURN_MS = 3
/**
 * The version of Produce of Kafka 1.0. Older brokers remember only a producer's last batch: of two batches that were
 * stored and not acknowledged, they would report the first as out of order (KAFKA-5494).
 */
const KNOWS_REPEATS_FROM = 5
/**
 * From this number of partitions with small batches on, a request waits while another is in flight, so that the batches
 * grow: a batch costs about 10 µs, as much as 20 to 30 messages. With 1,000 partitions a message costs half as much.
 */
const MANY_BATCHES = 50
const SMALL_BATCH_BYTES = 8 * 1024

interface RequestInFlight {
  readonly batches: readonly Batch[]
  readonly attempt: ProduceAttempt
  /** When the request was started, by `performance.now()`. */
  readonly startedAt: number
  /** Its batches are sent to another broker: its result has no effect any more. */
  isAbandoned: boolean
}

/**
 * The producer's view of a broker: the partitions with batches for it, and its requests in flight, at most
 * `maxInFlight`. A request contains the first batch of as many partitions as fit `maxRequestSize`.
 */
export class Sink implements Waiting {
  readonly broker: Broker
  readonly #context: SinkContext
  /** In the order in which they became ready; partitions that were served go to the end. */
  #ready: PartitionQueue<Batch>[] = []
  /** The requests in flight, oldest first. */
  readonly #requests: RequestInFlight[] = []
  readonly #overdue: OverdueWatch
  /** The version of Produce that the broker supports; undefined until it is known. */
  #version: number | undefined
  /** When it began to connect, by `performance.now()`; undefined if it does not. */
  #connectingSince: number | undefined
  #nextTurn: NodeJS.Immediate | undefined
  #idle: Deferred<void> | undefined

  constructor(broker: Broker, context: SinkContext) {
    this.broker = broker
    this.#context = context
    this.#overdue = new OverdueWatch(context.cluster, this, OVERDUE_MS)
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
      if (this.#connectingSince === undefined) void this.#connect()
      return
    }
    const startedAt = performance.now()
    const { maxInFlight } = this.#context.settings
    while (this.#requests.length < maxInFlight && this.#ready.length > 0) {
      if (this.#requests.length > 0 && this.#hasManySmallBatches()) return
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
    if (this.#requests.length === 0) return Promise.resolve()
    return (this.#idle ??= deferred()).promise
  }

  get waitingSince(): number | undefined {
    return this.#connectingSince ?? this.#requests[0]?.startedAt
  }

  waitingTopics(): ReadonlySet<string> {
    const topics = new Set(this.#ready.map(({ topic }) => topic))
    for (const { batches } of this.#requests) {
      for (const { queue } of batches) topics.add(queue.topic)
    }
    return topics
  }

  leaveMoved(): void {
    const ready = this.#ready
    this.#ready = []
    for (const queue of ready) {
      if (this.#leads(queue)) this.#ready.push(queue)
      else this.#giveBack(queue)
    }
    for (const request of [...this.#requests]) {
      if (this.#mayAbandon(request)) this.#abandon(request)
    }
    this.#continue()
  }

  stop(): void {
    this.#overdue.stop()
    clearImmediate(this.#nextTurn)
    this.#ready = []
  }

  /** Gets the version of Produce first, because it decides the format of the batches. */
  async #connect(): Promise<void> {
    this.#connectingSince = performance.now()
    this.#overdue.start()
    try {
      const versions = await this.broker.versions('produce')
      this.#version = versions.pick(produce)
    } catch (error) {
      const ready = this.#ready
      this.#ready = []
      for (const queue of ready) {
        if (this.#leads(queue)) {
          queue.delist()
          this.#context.outcomes.unreachable(queue, asError(error))
        } else this.#giveBack(queue)
      }
    }
    this.#connectingSince = undefined
    this.pump()
  }

  /** Collects the batches of one request. Partitions with nothing to send leave the list. */
  #collect(request: ProduceAttempt, format: RecordFormat, startedAt: number): Batch[] {
    const { cluster, settings } = this.#context
    const { compression, maxRequestSize } = settings
    const knowsRepeats = (this.#version ?? 0) >= KNOWS_REPEATS_FROM
    const ready = this.#ready
    const again: PartitionQueue<Batch>[] = []
    const batches: Batch[] = []
    let bytes = 0
    let at = 0
    for (; at < ready.length; at++) {
      const queue = ready[at]!
      if (!this.#leads(queue)) {
        this.#giveBack(queue)
        continue
      }
      const mustWait = queue.inFlight.length > 0 && (!knowsRepeats || queue.sentTo !== this)
      const head = mustWait ? undefined : this.#sendable(queue)
      if (head === undefined || !this.#isSealed(head, format)) {
        queue.delist()
        continue
      }
      if (batches.length > 0 && bytes + sealedBytes(head) > maxRequestSize) break
      queue.take(request, this, cluster.leaderEpochOf(queue.topic, queue.partition))
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

  #leads({ topic, partition }: PartitionQueue<Batch>): boolean {
    return this.#context.cluster.leaderOf(topic, partition) === this.broker
  }

  /** Returns a partition to the ready queues: the sender passes it to the sink of its leader. */
  #giveBack(queue: PartitionQueue<Batch>): void {
    queue.delist()
    this.#context.ready.add(queue)
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
        outcomes.failed(batch, asError(error), false)
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

  /**
   * Whether a batch of the request has another leader by now, and all may be sent again. Without sequence numbers a
   * batch could be written twice, so that a request with such batches waits for its timeout, as in the Java client.
   */
  #mayAbandon({ batches, attempt }: RequestInFlight): boolean {
    const isRepeatable = !attempt.isWritten || batches.every((one) => one.sequence !== undefined)
    return isRepeatable && batches.some(({ queue }) => this.#isLedElsewhere(queue))
  }

  #isLedElsewhere({ topic, partition, sentToEpoch }: PartitionQueue<Batch>): boolean {
    const leader = this.#context.cluster.newerLeader(topic, partition, sentToEpoch)
    return leader !== undefined && leader !== this.broker
  }

  /** Sends the batches of an overdue request again, without waiting for its response. */
  #abandon(request: RequestInFlight): void {
    request.isAbandoned = true
    this.#remove(request)
    const { batches, attempt, startedAt } = request
    const afterMs = Math.round(performance.now() - startedAt)
    const { name: broker } = this.broker
    const reason = `${broker} has not answered Produce for ${afterMs} ms, and another broker leads now`
    const error = new RequestTimeoutError(reason, { broker })
    for (const batch of batches) this.#context.outcomes.failed(batch, error, attempt.isWritten)
  }

  #remove(request: RequestInFlight): void {
    const at = this.#requests.indexOf(request)
    if (at >= 0) this.#requests.splice(at, 1)
  }

  /** Continues after requests have ended. */
  #continue(): void {
    if (this.#requests.length === 0) {
      this.#idle?.resolve()
      this.#idle = undefined
    }
    this.pump()
  }

  async #send(batches: readonly Batch[], attempt: ProduceAttempt): Promise<void> {
    const { cluster, settings, policy, outcomes } = this.#context
    const topicIdOf = topicIdsOf(batches, (topic) => cluster.known(topic)?.topicId)
    const startedAt = performance.now()
    const request: RequestInFlight = { batches, attempt, startedAt, isAbandoned: false }
    const throwIfEnded = () => {
      const isEnded = request.isAbandoned || batches.some(({ isSettled }) => isSettled)
      if (isEnded) throw tooLate(this.broker.name)
    }
    const body = (version: number) => {
      // The batches of an abandoned request may be in another one.
      throwIfEnded()
      if (formatOf(version) !== this.format) throw this.#changedFormat(version)
      return produceRequest(batches, settings, topicIdOf, policy.transactionalId, version)
    }
    const options = {
      purpose: 'produce',
      maxVersion: Math.min(policy.maxProduceVersion, maxProduceVersion(batches, topicIdOf)),
      timeoutMs: Math.max(cluster.options.requestTimeoutMs, settings.ackTimeoutMs),
      onWrite: () => {
        throwIfEnded()
        attempt.isWritten = true
      },
    } as const
    this.#requests.push(request)
    this.#overdue.start()
    try {
      if (settings.requiredAcks === 0) {
        await this.broker.send(produce, body, options)
        if (request.isAbandoned) return
        this.#remove(request)
        for (const batch of batches) outcomes.sent(batch)
      } else {
        const response = await this.broker.request(produce, body, options)
        if (request.isAbandoned) return
        this.#remove(request)
        const answers = answersTo(batches, response, topicIdOf)
        const { nodeEndpoints } = response
        if (nodeEndpoints.length > 0) {
          cluster.learnLeaders(namedLeaders(batches, answers), nodeEndpoints)
        }
        batches.forEach((batch, index) => outcomes.answered(batch, answers[index], this.broker))
      }
    } catch (error) {
      if (request.isAbandoned) return
      this.#remove(request)
      for (const batch of batches) outcomes.failed(batch, asError(error), attempt.isWritten)
    }
    this.#continue()
  }
}

/**
 * A batch failed while its request waited for a connection: it was reported as not sent, and must not be sent. The same
 * holds for a request that was abandoned.
 */
function tooLate(broker: string): KafkaError {
  const reason = `the delivery timeout of a message ended before the request was sent to ${broker}`
  return new KafkaError('DELIVERY_TIMED_OUT', reason, true, { broker })
}
