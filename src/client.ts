import { Cluster } from './cluster/cluster.ts'
import { ClosedError } from './errors.ts'
import { parseHosts } from './network/address.ts'
import { anArrayOf, anInteger, aString, checkOptions, either } from './options.ts'
import { Topic } from './topic.ts'

export interface KafkaClientOptions {
  /**
   * Brokers to start from, such as `kafka1:9092,kafka2:9092`; the others are learned from them.
   * Default: `127.0.0.1:9092`.
   */
  readonly hosts?: string | readonly string[]
  /** What brokers call this client in logs, metrics and quotas. Default: `samsa`. */
  readonly clientId?: string
  /** How long a broker may take to answer a request. Default: 30,000. */
  readonly socketTimeoutMs?: number
  /** How long connecting may take, and then the first answer. Default: 10,000. */
  readonly connectTimeoutMs?: number
  /** The first wait before something is tried again; doubled each time. Default: 100. */
  readonly retryBackoffMs?: number
  /** The longest wait before something is tried again. Default: 1,000. */
  readonly retryBackoffMaxMs?: number
  /** The largest response taken from a broker. Default: 512 MiB. */
  readonly maxResponseBytes?: number
}

/**
 * A Kafka cluster. Making a client does no I/O: connections are opened when something is first asked.
 *
 * ```ts
 * await using client = new KafkaClient({ hosts: 'localhost:9092' })
 * const topic = client.topic('page-views')
 * ```
 */
export class KafkaClient implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #topics = new Map<string, Topic>()
  #isClosed = false

  /** Throws InvalidArgumentError for an option that isn't one, or can't be right. */
  constructor(options: KafkaClientOptions = {}) {
    checkOptions<KafkaClientOptions>('KafkaClient', options, {
      hosts: either(aString, anArrayOf(aString)),
      clientId: aString,
      socketTimeoutMs: anInteger(1),
      connectTimeoutMs: anInteger(1),
      retryBackoffMs: anInteger(1),
      retryBackoffMaxMs: anInteger(1),
      maxResponseBytes: anInteger(1, 0x7fffffff),
    })
    this.#cluster = new Cluster({
      seeds: parseHosts(options.hosts ?? '127.0.0.1:9092'),
      connection: {
        clientId: options.clientId ?? 'samsa',
        connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
        maxResponseBytes: options.maxResponseBytes ?? 512 * 1024 * 1024,
      },
      requestTimeoutMs: options.socketTimeoutMs ?? 30_000,
      backoff: {
        initialMs: options.retryBackoffMs ?? 100,
        maxMs: options.retryBackoffMaxMs ?? 1_000,
      },
    })
  }

  /** A topic by name: no I/O until it is used. */
  topic(name: string): Topic {
    if (this.#isClosed) throw new ClosedError('client')
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new Topic(this.#cluster, name)
      this.#topics.set(name, topic)
    }
    return topic
  }

  /** Closes all connections; close producers and consumers before. Safe to call again. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#cluster.close()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
