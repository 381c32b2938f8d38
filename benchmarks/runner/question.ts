import type { Compression, TaskName } from './task.ts'

/** A file in questions/: what is asked, and the cases that answer it. */
export interface Question {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  /** What the reader is to know about it. */
  readonly about: string
  /** The clients it is asked of unless `--clients` names others; default: all that have a way. */
  readonly clients?: readonly string[]
  /** A Kafka of its own, where the newest won't do. */
  readonly kafka?: string
  /** Cases that differ in one number only are drawn as curves over it: of these columns, by default of the CPU of a message. */
  readonly curve?: { readonly over: string; readonly of?: readonly string[] }
  /** All cases are rows of one table, without charts: for many cases of one client. */
  readonly isOneTable?: true
  cases(scale: Scale): readonly Case[]
}

/** One thing that is measured, by all clients alike. */
export interface Case {
  readonly title: string
  readonly task: TaskName
  readonly mode: string
  readonly valueBytes: number
  readonly messages: number
  readonly limitMs: number
  readonly warmUpMs: number
  readonly partitions: number
  readonly acks: 1 | -1
  readonly compression: Compression
  /** How many topics are produced to. */
  readonly topics: number
  /**
   * Topics that are produced to are in use already, and shared by all. In a new one a broker takes up to 20 ms for
   * the first entries in the index of each partition, when its second batch comes: with many partitions that is
   * most of the time, and the less of it the fewer of them a client reaches.
   */
  readonly inUse: boolean
  readonly tls: boolean
  /** How many processes share the work. */
  readonly processes: number
  /** How many members of a group are in the process. */
  readonly members: number
  /** How many of them are there before it begins. */
  readonly before: number
  /** How many groups have committed offsets, for `admin`. */
  readonly groups: number
  /** A ZooKeeper is there, too, whatever the brokers need. */
  readonly zookeeper: boolean
  /** Against a process that acknowledges or serves, and does nothing else. */
  readonly nullBroker: boolean
  readonly shares: readonly number[]
  /** The only clients that can do it. */
  readonly clients?: readonly string[]
  /** Where it stands on the curve. */
  readonly x?: number
}

/** How much is measured. */
export interface Scale {
  readonly rounds: number
  /** The most that one run takes of its time, warming up not counted. */
  readonly limitMs: number
  readonly warmUpMs: number
  /** The most that one run sends or reads. */
  readonly messages: number
  readonly bytes: number
}

export const QUICK: Scale = {
  rounds: 2,
  limitMs: 600,
  warmUpMs: 500,
  messages: 500_000,
  bytes: 50_000_000,
}
export const FULL: Scale = {
  rounds: 3,
  limitMs: 1_800,
  warmUpMs: 1_000,
  messages: 3_000_000,
  bytes: 300_000_000,
}

/** What a case is unless it says otherwise: the setting of the issue that the targets are from. */
export function caseOf(
  scale: Scale,
  title: string,
  given: Pick<Case, 'task' | 'mode'> & Partial<Case>,
): Case {
  const valueBytes = given.valueBytes ?? 100
  return {
    title,
    valueBytes,
    messages: Math.max(20, Math.min(scale.messages, Math.floor(scale.bytes / valueBytes))),
    limitMs: scale.limitMs,
    warmUpMs: scale.warmUpMs,
    partitions: 4,
    acks: 1,
    compression: 'none',
    topics: 1,
    inUse: false,
    tls: false,
    processes: 1,
    members: 1,
    before: 0,
    groups: 0,
    zookeeper: false,
    nullBroker: false,
    shares: [],
    ...given,
  }
}
