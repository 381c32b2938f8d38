import { KafkaClient } from '../../index.ts'
import { errorFrom } from '../error-from.ts'
import { KafkaJSConnectionError, KafkaJSError, KafkaJSNonRetriableError } from '../errors.ts'
import { loggerForSamsa } from '../logger.ts'
import { Bail, LONGEST_MS, retryBudgetMs, retrying, type RetrySettings } from '../retry.ts'
import { textOf } from '../text.ts'
import type { KafkaConfig, Logger } from '../types/common.ts'
import { saslFrom } from './sasl.ts'
import { socketFactoryFrom } from './sockets.ts'

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000
const DEFAULT_CONNECTION_TIMEOUT_MS = 10_000

export interface SessionOptions {
  readonly config: KafkaConfig
  readonly logger: Logger
  readonly retry: RetrySettings
  readonly metadataMaxAge?: number | undefined
  /** Called with each client that is opened, and with undefined after it was closed. */
  readonly onClient?: (client: KafkaClient | undefined) => void
}

/** The KafkaClient of a producer, consumer or admin client. It is opened by `connect`, or when it is first needed. */
export class Session {
  readonly #options: SessionOptions
  #client: Promise<KafkaClient> | undefined
  #isConnected = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  /** Connects to the cluster, with the retries and errors of kafkajs. */
  async connect(): Promise<void> {
    const client = await this.client()
    await retrying(this.#options.retry, async () => {
      try {
        await client.updateCluster()
      } catch (thrown) {
        const error = errorFrom(thrown)
        if (error instanceof KafkaJSError && error.retriable) throw error
        throw new Bail(error)
      }
    })
    this.#isConnected = true
  }

  /** The client, which may not have connected to the cluster yet. */
  client(): Promise<KafkaClient> {
    this.#client ??= this.#open()
    return this.#client
  }

  async disconnect(): Promise<void> {
    const opened = this.#client
    this.#client = undefined
    this.#isConnected = false
    if (opened === undefined) return
    const client = await opened.catch(() => undefined)
    await client?.close()
    this.#options.onClient?.(undefined)
  }

  async #open(): Promise<KafkaClient> {
    try {
      const hosts = await brokersOf(this.#options.config)
      const client = new KafkaClient({ hosts, ...clientOptions(this.#options) })
      this.#options.onClient?.(client)
      return client
    } catch (error) {
      this.#client = undefined
      throw errorFrom(error)
    }
  }
}

function clientOptions({ config, logger, retry, metadataMaxAge }: SessionOptions) {
  const sasl = saslFrom(config.sasl, logger)
  const socketFactory = socketFactoryFrom(config)
  const requestTimeout = config.requestTimeout ?? DEFAULT_REQUEST_TIMEOUT_MS
  const socketTimeoutMs = config.enforceRequestTimeout === false ? LONGEST_MS : requestTimeout
  return {
    clientId: config.clientId ?? 'kafkajs',
    connectTimeoutMs: config.connectionTimeout ?? DEFAULT_CONNECTION_TIMEOUT_MS,
    socketTimeoutMs,
    operationTimeoutMs: Math.min(LONGEST_MS, socketTimeoutMs + retryBudgetMs(retry)),
    logger: loggerForSamsa(logger),
    ...(metadataMaxAge === undefined || metadataMaxAge <= 0
      ? {}
      : { metadataMaxAgeMs: metadataMaxAge }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(socketFactory === undefined ? {} : { socketFactory }),
  }
}

/** The addresses in `brokers`. Throws the errors of kafkajs for an invalid list. */
async function brokersOf({ brokers }: KafkaConfig): Promise<string[]> {
  const list: unknown = typeof brokers === 'function' ? await called(brokers) : brokers
  if (!Array.isArray(list)) {
    throw new KafkaJSNonRetriableError('Failed to connect: brokers should not be null')
  }
  if (list.length === 0) {
    throw new KafkaJSNonRetriableError('Failed to connect: brokers array is empty')
  }
  return list.map((broker: unknown, index) => {
    if (typeof broker === 'string' && broker !== '') return broker
    throw new KafkaJSNonRetriableError(
      `Failed to connect: broker at index ${index} is invalid "${typeof broker}"`,
    )
  })
}

async function called(brokers: () => string[] | Promise<string[]>): Promise<string[]> {
  try {
    return await brokers()
  } catch (error) {
    throw new KafkaJSConnectionError(`Failed to connect: "config.brokers" threw: ${textOf(error)}`)
  }
}
