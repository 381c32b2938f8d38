import type {
  AssignorName,
  KafkaClientOptions,
  ProducerOptions,
  SimpleConsumerOptions,
} from '../../../../src/index.ts'

/** The ways to send that producers take in turns. */
export const PRODUCER_WAYS = ['produce', 'produceMany', 'delivery reports'] as const
export type ProducerWay = (typeof PRODUCER_WAYS)[number]

/** The ways to read that consumers take in turns. */
export const READER_WAYS = ['for await', 'batches', 'run', 'run by key', 'stream'] as const
export type ReaderWay = (typeof READER_WAYS)[number]

interface ClientPlan {
  /** Unique in the run. */
  readonly name: string
  readonly hosts: string
  readonly topic: string
  /** The file that it writes down what happens in. */
  readonly log: string
  /**
   * The Java client does the same beside it. Then no heap is measured, because a forced garbage collection stops the
   * process for up to seconds on a busy machine, and lines are written at the end of a turn, as Java's after a poll.
   */
  readonly isCompared: boolean
  readonly client?: Omit<KafkaClientOptions, 'hosts' | 'logger'>
}

export interface ProducerPlan extends ClientPlan {
  readonly role: 'producer'
  readonly way: ProducerWay
  /** The lanes of its messages: the application chooses partitions, or gives keys. */
  readonly lanes: 'partitions' | 'keys'
  readonly laneCount: number
  readonly messagesPerSecond: number
  readonly options?: Omit<ProducerOptions, 'deliveryReports'>
}

export interface ReaderPlan extends ClientPlan {
  readonly role: 'reader'
  readonly way: ReaderWay
  /** Undefined for a consumer that reads all partitions by itself. */
  readonly group: ReaderGroup | undefined
  /** How long the application works on one message in ten, at most; the others take no time. */
  readonly workMs: number
  readonly options?: Pick<SimpleConsumerOptions, 'fetchWaitMaxMs' | 'fetchMessageMaxBytes'>
}

export interface ReaderGroup {
  readonly name: string
  readonly sessionTimeoutMs: number
  readonly commitIntervalMs: number
  /** Of a group that Kafka coordinates; with `zookeeperHosts`, ZooKeeper coordinates it. */
  readonly assignors?: readonly AssignorName[]
  readonly zookeeperHosts?: string
}

export type WorkerPlan = ProducerPlan | ReaderPlan

/** How long SIGUSR2 blocks the event loop of a client. */
export const BLOCK_MS = 10_000
