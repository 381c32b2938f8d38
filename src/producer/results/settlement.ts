import { deliveryChannel, type DeliveryEvent } from '../../observe/channels.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ClientMetrics } from '../../observe/metrics/client-metrics.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import { messagesOf } from '../accumulator/batch-messages.ts'
import type { Accumulator } from '../accumulator/accumulator.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { Capacity } from '../intake/capacity.ts'
import type { Data } from '../intake/serialize.ts'
import type { ProducerSettings } from '../options.ts'
import type { DeliveryReport, ReportQueue } from './reports.ts'
import { endTraces } from './traces.ts'

/** How a batch ended: its offset in the log, or the error. */
export type Ending =
  | {
      readonly baseOffset: number
      readonly appendTime: number | undefined
      readonly logStartOffset?: number | undefined
    }
  | { readonly error: Error }

/**
 * Ends batches: settles the promises of their messages, counts and reports them, and returns their memory and their
 * room in the queue.
 */
export class Settlement {
  readonly #settings: ProducerSettings
  readonly #accumulator: Accumulator
  readonly #capacity: Capacity
  readonly #reports: ReportQueue | undefined
  readonly #logger: Logger
  readonly #metrics: ClientMetrics
  #deliveredMessages = 0
  #failedMessages = 0

  constructor(
    settings: ProducerSettings,
    accumulator: Accumulator,
    capacity: Capacity,
    reports: ReportQueue | undefined,
    logger: Logger,
    metrics: ClientMetrics,
  ) {
    this.#settings = settings
    this.#accumulator = accumulator
    this.#capacity = capacity
    this.#reports = reports
    this.#logger = logger
    this.#metrics = metrics
  }

  get deliveredMessages(): number {
    return this.#deliveredMessages
  }

  get failedMessages(): number {
    return this.#failedMessages
  }

  /** Ends a batch, unless it has ended already. */
  settle(batch: Batch, ending: Ending): void {
    if (batch.isSettled) return
    const { result, queue, count } = batch
    const counted = this.#metrics.produced(queue.topic)
    if ('error' in ending) {
      result.fail(ending.error, batch.deliveries)
      this.#failedMessages += count
      counted.failedMessages += count
    } else {
      result.deliver(queue.topic, queue.partition, ending.baseOffset, ending.appendTime)
      this.#deliveredMessages += count
      counted.messages += count
      counted.bytes += batch.sizeBytes
      counted.batches++
      this.#metrics.deliveryDuration.recordMs(performance.now() - batch.createdAt)
    }
    if (batch.hasGroups) settleGroups(batch, ending)
    if (batch.traces !== undefined) endTraces(batch.traces, queue.partition, ending)
    if (this.#settings.deliveryReports !== false) this.#reportBatch(batch, ending)
    if (deliveryChannel.hasSubscribers) publish(this.#metrics, batch, ending)
    // A socket may still have the bytes of an attempt without a response.
    const { attempts, outcomeUnknown } = batch
    const isAnswered = this.#settings.requiredAcks !== 0 && attempts === 1 && !outcomeUnknown
    this.#accumulator.release(batch, isAnswered && !('error' in ending))
    this.#capacity.makeRoom()
  }

  /** Counts and reports a message that failed before it was queued. */
  refused(topic: string, value: Data, key: Data, error: Error): void {
    this.#failedMessages++
    this.#metrics.produced(topic).failedMessages++
    if (this.#settings.deliveryReports === false) return
    const timestamp = Date.now()
    this.#report({ topic, partition: -1, offset: -1, timestamp, key, value, error })
  }

  #reportBatch({ queue, messages = [] }: Batch, ending: Ending): void {
    const { topic, partition } = queue
    messages.forEach(({ key, value, timestamp }, index) => {
      if ('error' in ending) {
        const { error } = ending
        this.#report({ topic, partition, offset: -1, timestamp, key, value, error })
        return
      }
      const offset = ending.baseOffset < 0 ? -1 : ending.baseOffset + index
      const time = ending.appendTime ?? timestamp
      this.#report({ topic, partition, offset, timestamp: time, key, value, error: undefined })
    })
  }

  #report(report: DeliveryReport): void {
    const { deliveryReports } = this.#settings
    if (typeof deliveryReports !== 'function') {
      this.#reports?.push(report)
      return
    }
    const onFailed = (error: unknown) =>
      this.#logger.error(`the deliveryReports function failed: ${textOfThrown(error)}`)
    try {
      const reported = deliveryReports(report)
      if (reported instanceof Promise) reported.catch(onFailed)
    } catch (error) {
      onFailed(error)
    }
  }
}

function settleGroups(batch: Batch, ending: Ending): void {
  const { topic, partition } = batch.queue
  const messages = 'error' in ending ? messagesOf(batch) : []
  for (const { group, start, count } of batch.runs()) {
    if (group === undefined) continue
    if ('error' in ending) group.fail(messages.slice(start, start + count), ending.error)
    else {
      const baseOffset = ending.baseOffset < 0 ? -1 : ending.baseOffset + start
      const { appendTime, logStartOffset } = ending
      group.deliver({
        topic,
        partition,
        baseOffset,
        count,
        ...(appendTime === undefined ? {} : { appendTime }),
        ...(logStartOffset === undefined ? {} : { logStartOffset }),
      })
    }
  }
}

function publish({ clientId, clusterId }: ClientMetrics, batch: Batch, ending: Ending): void {
  const { queue, count, createdAt, attempts } = batch
  const event: DeliveryEvent = {
    clientId,
    clusterId,
    topic: queue.topic,
    partition: queue.partition,
    offset: 'error' in ending ? -1 : ending.baseOffset,
    messages: count,
    durationMs: performance.now() - createdAt,
    attempts,
    error: 'error' in ending ? ending.error : undefined,
  }
  deliveryChannel.publish(event)
}
