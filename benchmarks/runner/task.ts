/** The runner's requests to a driver, and the driver's reports. The drivers are in clients/, in plain JavaScript and Python. */

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * - `produce`: single (one call a message, none awaited), told (the same, with each result looked at), many (the
 *   fastest way), awaited (one by one)
 * - `consume`: messages (one at a time), batches, handler, checked (batches whose checksums are verified)
 * - `group`: one of several processes that share a topic
 * - `member`: several members of a group in one process, without messages
 * - `rebalance`: the same, with members that join while others are there; eager, cooperative, by the consumer protocol or by ZooKeeper
 * - `share`: a member of a share group that accepts each message: implicit, explicit
 * - `transform`: consume, change, produce
 * - `transactions`: of this many messages each, one after the other; `idempotent`: flushes instead
 * - `slow`: a handler that takes 10 ms a message
 * - `echo`: produce and consume in one process, for latency
 * - `delay`: the same, for the delay of the event loop at a share of the highest rate
 * - `start`: from the start of the process to the first message
 * - `admin`: calls of an admin client, one after the other: topics, groups, lag, configs
 * - `options`: one option against the default, in turns in one process; the mode is its name
 * - `storm`: a spout and a bolt in Apache Storm: acked, not acked
 */
export type TaskName =
  | 'produce'
  | 'consume'
  | 'group'
  | 'member'
  | 'rebalance'
  | 'share'
  | 'transform'
  | 'transactions'
  | 'slow'
  | 'echo'
  | 'delay'
  | 'start'
  | 'admin'
  | 'options'
  | 'storm'

export interface Task {
  readonly task: TaskName
  readonly mode: string
  readonly brokers: string
  readonly tls?: { readonly caFile: string }
  readonly topic: string
  /** Where there are more than one: they are produced to in turn. */
  readonly topics?: readonly string[]
  /** Where a transformer produces to. */
  readonly output?: string
  readonly partitions: number
  readonly group: string
  readonly acks: 1 | -1
  readonly compression: Compression
  /** A file of lines, the values; all `valueBytes` long. */
  readonly valuesFile: string
  readonly valueBytes: number
  /** This many, or what goes in `limitMs`, if the client can be stopped then. */
  readonly messages: number
  readonly limitMs: number
  readonly warmUpMessages: number
  readonly warmUpMs: number
  /** Of the highest rate, for `echo` and `delay`. */
  readonly shares?: readonly number[]
  /** How many join, for `member`; how many there are at the end, for `rebalance`. */
  readonly members?: number
  /** How many there are before, for `rebalance`. */
  readonly before?: number
  /** Those that have committed offsets, for `admin`. */
  readonly groups?: readonly string[]
  /** Where ZooKeeper is, if there is one. */
  readonly zookeeper?: string
  /** The folder of Storm's jars, for `storm`. */
  readonly stormHome?: string
  /** When the process was started, in milliseconds since 1970, for `start`. */
  readonly startedAt?: number
}

export interface Latency {
  readonly count?: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max?: number
}

/** One run of one client. What a task doesn't measure is missing. */
export interface Measurement {
  readonly messages?: number
  readonly bytes?: number
  readonly elapsedMs?: number
  /** CPU of the client's process, all its threads. */
  readonly userMs?: number
  readonly systemMs?: number
  readonly memoryBytes?: number
  readonly latencyMs?: Latency
  /** Of `delay`: how late the event loop came to a timer. */
  readonly delayMs?: Latency
  /** Of `echo` and `delay`. */
  readonly highestRate?: number
  readonly steps?: readonly EchoStep[]
  /** Of `member` and `rebalance`: how many they are. */
  readonly members?: number
  /** Of `member`: until all had an assignment, and what they need while nothing happens. */
  readonly joinedMs?: number
  readonly idle?: Pick<EchoStep, 'elapsedMs' | 'userMs' | 'systemMs'>
  /** Of `rebalance`: until all partitions were shared evenly, and the requests that it took. */
  readonly sharedMs?: number
  readonly requests?: { readonly brokers?: number; readonly zookeeper?: number }
  /** Of `options`: the CPU of a message, divided by that with the default. */
  readonly timesPlain?: number
  /** Of `start`. */
  readonly loadedMs?: number
  readonly openMs?: number
  readonly receivedMs?: number
  /** Of a member of a group: when it got its first and last message, in milliseconds since 1970. */
  readonly firstAt?: number
  readonly lastAt?: number
}

export interface EchoStep {
  readonly share: number
  readonly rate: number
  readonly userMs: number
  readonly systemMs: number
  readonly elapsedMs: number
  readonly latencyMs: Latency
}

/** What a client can do here: a text for each `task mode`. */
export interface Description {
  readonly version: string
  readonly runtime: string
  readonly ways: Readonly<Record<string, string>>
}
