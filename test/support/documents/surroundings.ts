import { once } from 'node:events'
import { Readable } from 'node:stream'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../../src/embedded/index.ts'
import { ClosedError, KafkaClient } from '../../../src/index.ts'
import { TestAuthority } from '../certificates.ts'

/** What an example may name without declaring it. */
export const NAMES = [
  'kafka',
  'zookeeper',
  'client',
  'topic',
  'producer',
  'consumer',
  'lines',
  'values',
  'source',
  'handle',
  'store',
  'count',
  'startService',
  'ca',
  'cert',
  'key',
] as const satisfies readonly (keyof Surroundings)[]

const TOPIC = 'page-views'
interface Certificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

function issue(): Certificates {
  using authority = new TestAuthority()
  const { cert, key } = authority.issue({ commonName: 'broker', hosts: ['127.0.0.1'] })
  return { ca: authority.cert, cert, key }
}

/** JSON, for the examples that parse values. */
const SEED = [1, 2, 3].map((id) => ({ value: JSON.stringify({ id }), key: `user-${id}` }))

/** The brokers, clients and functions around an example. Each is started when it is first named. */
export class Surroundings implements AsyncDisposable {
  /** Disposed of in reverse order. */
  readonly #started: AsyncDisposable[] = []
  #kafka: Promise<EmbeddedCluster> | undefined
  #zookeeper: Promise<EmbeddedZooKeeper> | undefined
  #client: Promise<KafkaClient> | undefined
  #isUsed = false
  #issued: Certificates | undefined

  get kafka(): Promise<EmbeddedCluster> {
    return (this.#kafka ??= this.#startKafka())
  }

  get zookeeper(): Promise<EmbeddedZooKeeper> {
    return (this.#zookeeper ??= EmbeddedZooKeeper.start().then((zookeeper) => {
      zookeeper.create('/chroot')
      return this.#keep(zookeeper)
    }))
  }

  get client(): Promise<KafkaClient> {
    return (this.#client ??= this.kafka.then((kafka) =>
      this.#keep(new KafkaClient({ hosts: kafka.hosts })),
    ))
  }

  get topic() {
    return this.client.then((client) => client.topic(TOPIC))
  }

  get producer() {
    return this.topic.then((topic) => topic.getProducer())
  }

  get consumer() {
    return this.topic.then((topic) =>
      topic.getSimpleConsumer({ consumerGroup: 'examples', stopAtEnd: true }),
    )
  }

  /** PEM: a certificate for 127.0.0.1, and the authority that issued it. */
  get ca(): string {
    return this.#certificates.ca
  }
  get cert(): string {
    return this.#certificates.cert
  }
  get key(): string {
    return this.#certificates.key
  }

  readonly lines = ['first', 'second', 'third']
  readonly values = ['1', '2', '3']
  get source(): Readable {
    return Readable.from(this.values)
  }

  readonly handle = (_message: unknown): Promise<void> => this.#use()
  readonly store = (_messages: unknown): Promise<void> => this.#use()
  readonly count = (_message: unknown): Promise<void> => this.#use()

  /** The application under test: it reads as a member of a group, and commits. */
  readonly startService = async ({
    kafkaHosts,
  }: {
    kafkaHosts?: string
    zookeeperHosts?: string
  }): Promise<void> => {
    if (kafkaHosts === undefined) return
    await using client = new KafkaClient({ hosts: kafkaHosts })
    const options = { consumerGroup: 'service', stopAtEnd: true }
    await using consumer = await client.topic(TOPIC).getSimpleConsumer(options)
    for await (const batch of consumer.batches()) await batch.commit()
  }

  /** For examples that print what they read: the first line counts as use. */
  get console(): Console {
    const log = (...values: unknown[]): void => {
      console.log(...values)
      void this.#use()
    }
    return { ...console, log }
  }

  /** Runs an example; an endless one ends because its client is closed once it has handled a message. */
  async run(example: (surroundings: this) => Promise<void>, isEndless: boolean): Promise<void> {
    if (!isEndless) return example(this)
    const abort = new AbortController()
    const used = once(this.#uses, 'use', { signal: abort.signal })
    const closed = used.then(async () => {
      await (await this.client).close()
    })
    closed.catch(() => undefined)
    try {
      await example(this)
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error
    } finally {
      abort.abort()
    }
    if (!this.#isUsed) throw new Error('It ended by itself: it is not endless')
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.reverse()) await started[Symbol.asyncDispose]()
  }

  readonly #uses = new EventTarget()

  #use(): Promise<void> {
    this.#isUsed = true
    this.#uses.dispatchEvent(new Event('use'))
    return Promise.resolve()
  }

  #keep<T extends AsyncDisposable>(started: T): T {
    this.#started.push(started)
    return started
  }

  get #certificates(): Certificates {
    return (this.#issued ??= issue())
  }

  async #startKafka(): Promise<EmbeddedCluster> {
    const kafka = await EmbeddedCluster.start({
      brokers: 3,
      topics: { [TOPIC]: { partitions: 3 }, orders: { partitions: 6 } },
    })
    this.#keep(kafka)
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await using producer = await client.topic(TOPIC).getProducer()
    await producer.produceMany(SEED)
    return kafka
  }
}
