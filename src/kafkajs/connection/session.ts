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
  /** Called with each client that is opened. The returned function is called when the client is closed. */
  readonly watch: (client: KafkaClient) => () => void
}

interface Opened {
  readonly client: KafkaClient
  readonly stopWatching: () => void
}

/** The KafkaClient of a producer, consumer or admin client. It is opened by `connect`, or when it is first needed. */
export class Session {
  readonly #options: SessionOptions
  #opened: Promise<Opened> | undefined
  #disconnecting: Promise<void> | undefined
  #isConnected = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  /** Connects to the cluster, with the retries and errors of kafkajs. */
  async connect(): Promise<void> {
    if (this.#disconnecting !== undefined) await this.#disconnecting
    const client = await this.client()
    const opened = this.#opened
    await retrying(this.#options.retry, async () => {
      try {
        await client.updateCluster()
      } catch (thrown) {
        const error = errorFrom(thrown)
        if (error instanceof KafkaJSError && error.retriable) throw error
        throw new Bail(error)
      }
    })
    // Unless `disconnect` was called in the meantime.
    if (this.#opened === opened) this.#isConnected = true
  }

  /** The client, which may not have connected to the cluster yet. */
  async client(): Promise<KafkaClient> {
    const opening = (this.#opened ??= this.#open())
    try {
      return (await opening).client
    } catch (error) {
      if (this.#opened === opening) this.#opened = undefined
      throw errorFrom(error)
    }
  }

  /** Calls `before`, then closes the client. A `connect` that is called in the meantime waits. */
  disconnect(before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    this.#disconnecting ??= before()
      .then(() => this.#close())
      .finally(() => {
        this.#disconnecting = undefined
      })
    return this.#disconnecting
  }

  async #close(): Promise<void> {
    const opening = this.#opened
    this.#opened = undefined
    this.#isConnected = false
    const opened = await opening?.catch(() => undefined)
    if (opened === undefined) return
    try {
      await opened.client.close()
    } finally {
      opened.stopWatching()
    }
  }

  async #open(): Promise<Opened> {
    const hosts = await brokersOf(this.#options.config)
    const client = new KafkaClient({ hosts, ...clientOptions(this.#options) })
    return { client, stopWatching: this.#options.watch(client) }
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
