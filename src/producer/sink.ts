import { produce } from '../../protocol/apis/produce.ts'
import { KafkaError } from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import type { Batch, ProduceAttempt, RecordFormat } from './batch.ts'
import type { ProducerSettings } from './options.ts'
import type { PartitionQueue } from './partition-queue.ts'
import {
  answersTo,
  maxProduceVersion,
  produceRequest,
  type PartitionAnswer,
} from './produce-request.ts'
import { formatOf, refusals, seal, sealedBytes, wireOf } from './seal.ts'

/** What a sink asks of, and tells to, the sender that it belongs to. */
export interface SinkOwner {
  readonly settings: ProducerSettings
  readonly requestTimeoutMs: number
  topicIdOf(topic: string): string | undefined
  /** Whether the partition is led by this broker as far as is known. */
  isLedBy(queue: PartitionQueue, broker: Broker): boolean
  /** Whether the first batch of a partition may go now: expired ones are gone, a new start is made. */
  isSendable(queue: PartitionQueue): boolean
  /** The partition is not this broker's, or not any more. */
  list(queue: PartitionQueue): void
  answered(batch: Batch, answer: PartitionAnswer | undefined, broker: Broker): void
  acknowledgedBySocket(batch: Batch): void
  /** A request ended without an answer, or could not be made. `isWritten`: the broker may have it. */
  failed(batch: Batch, error: Error, isWritten: boolean): void
  /** The broker could not be reached: nothing was sent. */
  unreachable(queue: PartitionQueue, error: Error): void
  /** Records, by their index, that cannot be written for this broker at all. */
  refused(batch: Batch, errors: ReadonlyMap<number, KafkaError>): void
}

/** Encoding and compressing go on for so long, then everybody else has a turn. */
const TURN_MS = 6
/**
 * The version of Produce that came with Kafka 1.0: brokers before know of a producer's last batch only, so that
 * of two that were stored and not acknowledged the first would be taken for one out of order (KAFKA-5494).
 */
const KNOWS_REPEATS_FROM = 5
/**
 * A batch costs some 10 µs, as much as 20 to 30 messages. With so many partitions that each get little, a
 * request waits while another is on its way: with 1,000 partitions a message then costs half as much.
 */
const SWARM_BATCHES = 50
const SWARM_BATCH_BYTES = 8 * 1024

/**
 * A broker as the producer sees it: the partitions that have something for it, and its requests in flight,
 * `maxInFlight` at most. A request takes the first batch of as many partitions as fit `maxRequestSize`.
 */
export class Sink {
  readonly broker: Broker
  readonly #owner: SinkOwner
  /** In the order in which they became ready: those that were served go to the end. */
  #ready: PartitionQueue[] = []
  #inFlight = 0
  /** The version of Produce that the broker was found to speak; undefined until it is asked. */
  #version: number | undefined
  #isConnecting = false
  #nextTurn: NodeJS.Immediate | undefined

  constructor(broker: Broker, owner: SinkOwner) {
    this.broker = broker
    this.#owner = owner
  }

  get format(): RecordFormat | undefined {
    return this.#version === undefined ? undefined : formatOf(this.#version)
  }

  add(queue: PartitionQueue): void {
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
    while (this.#inFlight < this.#owner.settings.maxInFlight && this.#ready.length > 0) {
      if (this.#inFlight > 0 && this.#isSwarm()) return
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

  /** Whether there is little for each of many partitions: what comes meanwhile makes it more. */
  #isSwarm(): boolean {
    if (this.#ready.length < SWARM_BATCHES) return false
    let bytes = 0
    for (const { batches } of this.#ready) bytes += batches[0]?.sizeBytes ?? 0
    return bytes < this.#ready.length * SWARM_BATCH_BYTES
  }

  stop(): void {
    clearImmediate(this.#nextTurn)
    this.#ready = []
  }

  /** What format its batches have must be known before they are written. */
  async #connect(): Promise<void> {
    this.#isConnecting = true
    try {
      const versions = await this.broker.versions('produce')
      this.#version = versions.pick(produce)
    } catch (error) {
      const ready = this.#ready
      this.#ready = []
      for (const queue of ready) {
        queue.isListed = false
        this.#owner.unreachable(queue, error as Error)
      }
    }
    this.#isConnecting = false
    this.pump()
  }

  /** The batches of one request. Partitions that have nothing to send leave the list. */
  #collect(request: ProduceAttempt, format: RecordFormat, startedAt: number): Batch[] {
    const owner = this.#owner
    const { compression, maxRequestSize } = owner.settings
    const knowsRepeats = (this.#version ?? 0) >= KNOWS_REPEATS_FROM
    const ready = this.#ready
    const again: PartitionQueue[] = []
    const batches: Batch[] = []
    let bytes = 0
    let at = 0
    for (; at < ready.length; at++) {
      const queue = ready[at]!
      if (!owner.isLedBy(queue, this.broker)) {
        queue.isListed = false
        owner.list(queue)
        continue
      }
      const mustWait = queue.inFlight.length > 0 && (!knowsRepeats || queue.sentTo !== this)
      if (mustWait || !owner.isSendable(queue)) {
        queue.isListed = false
        continue
      }
      const head = queue.next!
      if (!this.#isSealed(head, format)) {
        queue.isListed = false
        continue
      }
      if (batches.length > 0 && bytes + sealedBytes(head) > maxRequestSize) break
      queue.take(request, this)
      queue.number(head)
      bytes += wireOf(head, compression).length
      batches.push(head)
      if (queue.batches.length > 0) again.push(queue)
      else queue.isListed = false
      if (performance.now() - startedAt > TURN_MS) {
        at++
        break
      }
    }
    this.#ready = [...ready.slice(at), ...again]
    return batches
  }

  /** Whether a batch is ready to be written; starts what has to be done for it. */
  #isSealed(batch: Batch, format: RecordFormat): boolean {
    if (batch.sealed?.format === format) return true
    const { queue } = batch
    const owner = this.#owner
    batch.close()
    const errors = refusals(batch, this.#version ?? 0, this.broker.name, owner.settings)
    if (errors.size > 0) {
      owner.refused(batch, errors)
      return false
    }
    const sealing = seal(batch, format, owner.settings)
    if (sealing === undefined) return true
    queue.isSealing = true
    sealing.then(
      () => {
        queue.isSealing = false
        owner.list(queue)
      },
      (error: unknown) => {
        queue.isSealing = false
        owner.failed(batch, error as Error, false)
      },
    )
    return false
  }

  /** It was upgraded or downgraded meanwhile: what was written for it has to be written anew. */
  #changedFormat(version: number): KafkaError {
    this.#version = version
    const reason = `${this.broker.name} speaks Produce v${version} now`
    return new KafkaError('VERSION_CHANGED', reason, true, { broker: this.broker.name })
  }

  async #send(batches: readonly Batch[], attempt: ProduceAttempt): Promise<void> {
    const owner = this.#owner
    const { settings } = owner
    const ids = new Map<string, string | undefined>()
    for (const { queue } of batches) {
      if (!ids.has(queue.topic)) ids.set(queue.topic, owner.topicIdOf(queue.topic))
    }
    const topicIdOf = (topic: string) => ids.get(topic)
    const body = (version: number) => {
      if (formatOf(version) !== this.format) throw this.#changedFormat(version)
      return produceRequest(batches, settings, topicIdOf, version)
    }
    const options = {
      purpose: 'produce',
      maxVersion: maxProduceVersion(batches, topicIdOf),
      timeoutMs: owner.requestTimeoutMs,
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
        for (const batch of batches) owner.acknowledgedBySocket(batch)
      } else {
        const response = await this.broker.request(produce, body, options)
        this.#inFlight--
        const answers = answersTo(batches, response, topicIdOf)
        batches.forEach((batch, index) => owner.answered(batch, answers[index], this.broker))
      }
    } catch (error) {
      this.#inFlight--
      for (const batch of batches) owner.failed(batch, error as Error, attempt.isWritten)
    }
    this.pump()
  }
}

/** A batch was given up while its request waited for a connection: it was reported as not sent, and must not be. */
function tooLate(broker: string): KafkaError {
  const reason = `a message of the request ran out of time before it was sent to ${broker}`
  return new KafkaError('DELIVERY_TIMED_OUT', reason, true, { broker })
}
