import type { MultiTopicProducer, ProducerOptions } from '../../index.ts'
import { ErrorCode } from '../../../protocol/index.ts'
import { compressionFrom } from '../compression.ts'
import type { Session } from '../connection/session.ts'
import { protocolErrorOf } from '../error-from.ts'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { LONGEST_MS, retryBudgetMs, type RetrySettings } from '../retry.ts'
import type { CompressionTypes } from '../types/enums.ts'
import type { ProducerConfig } from '../types/producer.ts'

const DEFAULT_ACK_TIMEOUT_MS = 30_000
/** kafkajs has no limit of its own: this one is so large that brokers refuse too large messages first. */
const MAX_REQUEST_BYTES = 100 * 1024 * 1024
const BATCH_BYTES = 1_000_012
const MAX_IN_FLIGHT = 5

/** Options that kafkajs has for each call, and samsa for each producer. */
export interface SendOptions {
  readonly acks?: number | undefined
  readonly timeout?: number | undefined
  readonly compression?: CompressionTypes | undefined
}

/** One producer of samsa for each combination of options, opened when the combination is first used. */
export class ProducerPool {
  readonly #session: Session
  readonly #config: ProducerConfig
  readonly #retry: RetrySettings
  readonly #producers = new Map<string, Promise<MultiTopicProducer>>()

  constructor(session: Session, config: ProducerConfig, retry: RetrySettings) {
    this.#session = session
    this.#config = config
    this.#retry = retry
  }

  get({
    acks = -1,
    timeout = DEFAULT_ACK_TIMEOUT_MS,
    compression,
  }: SendOptions): Promise<MultiTopicProducer> {
    const ackTimeout = sharedTimeout(timeout)
    const key = `${acks} ${acks === 0 ? '' : ackTimeout} ${compression ?? 0}`
    let opening = this.#producers.get(key)
    if (opening === undefined) {
      opening = this.#open(acks, ackTimeout, compression)
      this.#producers.set(key, opening)
      opening.catch(() => this.#producers.delete(key))
    }
    return opening
  }

  /** Closes all producers, which first send the messages that are queued. */
  async close(): Promise<void> {
    const producers = [...this.#producers.values()]
    this.#producers.clear()
    await Promise.allSettled(producers.map(async (opening) => (await opening).close()))
  }

  async #open(
    acks: number,
    timeout: number,
    compression: CompressionTypes | undefined,
  ): Promise<MultiTopicProducer> {
    if (acks !== -1 && acks !== 0 && acks !== 1)
      throw protocolErrorOf(ErrorCode.INVALID_REQUIRED_ACKS)
    const client = await this.#session.client()
    return client.getProducer({
      ...commonOptions(this.#config, this.#retry, { timeout, compression }),
      requiredAcks: acks,
      idempotent: this.#config.idempotent === true && acks === -1,
      ...(acks === 0 ? {} : { ackTimeoutMs: timeout }),
    })
  }
}

/**
 * The timeout of the producer for sends with this timeout: the next power of two, so that programs that pass the rest of
 * a deadline share a few producers, instead of opening one for each send.
 */
function sharedTimeout(timeout: number): number {
  if (timeout === DEFAULT_ACK_TIMEOUT_MS || !(timeout > 0)) return timeout
  return Math.min(LONGEST_MS, 2 ** Math.ceil(Math.log2(timeout)))
}

/** The options that producers with and without transactions share. */
export function commonOptions(
  { maxInFlightRequests }: ProducerConfig,
  retry: RetrySettings,
  { timeout = DEFAULT_ACK_TIMEOUT_MS, compression }: Pick<SendOptions, 'timeout' | 'compression'>,
) {
  const codec = compressionFrom(compression)
  if (codec === undefined) {
    throw new KafkaJSNonRetriableError(`Unknown compression type ${String(compression)}`)
  }
  const inFlight = maxInFlightRequests ?? MAX_IN_FLIGHT
  return {
    compression: codec,
    maxRequestSize: MAX_REQUEST_BYTES,
    batchBytes: BATCH_BYTES,
    maxInFlight: Math.max(1, Math.min(inFlight, MAX_IN_FLIGHT)),
    deliveryTimeoutMs: Math.min(LONGEST_MS, timeout + retryBudgetMs(retry)),
    ...(retry.retries < 1 ? { maxRetries: 0 } : {}),
  } satisfies ProducerOptions
}
