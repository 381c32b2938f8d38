/** The start and the end of `consume`, `mirror` and `bench consume`. */
import type { BalancedTopicsConsumer, Consumer, KafkaClient, TopicPartition } from '../index.ts'
import { messageOf, UsageError } from './failure.ts'
import { isPattern, sourceOf } from './names.ts'
import type { Session } from './session.ts'
import { timeOf } from './times.ts'

export interface RangeOptions {
  readonly fromBeginning?: boolean
  /** The original texts: `-o` may be repeated, with kcat's s@TIME and e@TIME. */
  readonly offset?: readonly string[]
  readonly from?: string
  readonly until?: string
  readonly tail?: number
}

export interface Range {
  readonly at: 'earliest' | 'latest' | Date
  /** Starts at this offset instead. */
  readonly atOffset?: number
  /** Starts this many messages before the end instead. */
  readonly beforeEnd?: number
  /** The first offset after the range. */
  readonly untilOffset: number
  /** The first time after the range, in milliseconds since 1970. */
  readonly untilMs: number
}

export type Reader = Consumer | BalancedTopicsConsumer

/** Throws UsageError for contradicting options. */
export function rangeOf(
  { fromBeginning, offset = [], from, until, tail }: RangeOptions,
  otherwise: 'earliest' | 'latest',
): Range {
  const starts: Omit<Range, 'untilOffset' | 'untilMs'>[] = []
  let [untilOffset, untilMs] = [Infinity, Infinity]
  if (fromBeginning === true) starts.push({ at: 'earliest' })
  if (tail !== undefined) starts.push({ at: 'earliest', beforeEnd: tail })
  if (from !== undefined) starts.push({ at: timeOf(from) })
  for (const text of offset) {
    const end = /^e@(.+)$/.exec(text)
    const offsets = /^(\d{1,15}):(\d{1,15})$/.exec(text)
    if (end !== null) untilMs = timeOf(end[1]!).getTime()
    else if (offsets !== null) {
      const [first, end] = [Number(offsets[1]), Number(offsets[2])]
      if (end <= first) throw emptyRange(text)
      starts.push({ at: 'earliest', atOffset: first })
      untilOffset = end
    } else if (text.startsWith('@')) {
      const [first, last] = splitTimes(text.slice(1))
      starts.push({ at: timeOf(first) })
      if (last !== undefined) untilMs = timeOf(last).getTime()
    } else starts.push(startOf(text))
  }
  if (until !== undefined) {
    if (untilMs !== Infinity) throw new UsageError('give only one of --until and -o e@TIME')
    untilMs = timeOf(until).getTime()
  }
  if (starts.length > 1) {
    throw new UsageError('give only one of --from-beginning, --offset, --from and --tail')
  }
  const range = { ...(starts[0] ?? { at: otherwise }), untilOffset, untilMs }
  const { at } = range
  if (at instanceof Date && untilMs <= at.getTime()) {
    throw emptyRange(`${at.toISOString()} to ${new Date(untilMs).toISOString()}`)
  }
  return range
}

function emptyRange(text: string): UsageError {
  return new UsageError(`the range ${text} is empty: its end must be after its start`)
}

/** `T1:T2`: dates contain colons, so each colon is tried. */
function splitTimes(text: string): readonly [string, string?] {
  const isTime = (part: string): boolean => {
    try {
      timeOf(part)
      return true
    } catch {
      return false
    }
  }
  if (isTime(text)) return [text]
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    const [first, last] = [text.slice(0, at), text.slice(at + 1)]
    if (isTime(first) && isTime(last)) return [first, last]
  }
  return [text]
}

function startOf(text: string): Omit<Range, 'untilOffset' | 'untilMs'> {
  if (text === 'end' || text === 'latest') return { at: 'latest' }
  if (text === 'beginning' || text === 'earliest') return { at: 'earliest' }
  if (/^\d{1,15}$/.test(text)) return { at: 'earliest', atOffset: Number(text) }
  if (/^-\d{1,15}$/.test(text)) return { at: 'earliest', beforeEnd: -Number(text) }
  if (text === 'stored') throw new UsageError("'stored' requires --group, which has the offsets")
  if (text.startsWith('s@')) return { at: timeOf(text.slice(2)) }
  throw new UsageError(
    `'${text}' is not an offset: use beginning, end, N, N:M, -N, s@TIME, e@TIME or @TIME:TIME`,
  )
}

/**
 * Topics by name, or one expression if a name has a wildcard or is an expression: between slashes,
 * or after ^ as in librdkafka, because no name of a topic can contain these characters.
 */
export function topicsOf(names: readonly string[]): readonly string[] | RegExp {
  const isExpression = (name: string) => /^\/.+\/$|^\^/s.test(name)
  if (!names.some((name) => isPattern(name) || isExpression(name))) return [...new Set(names)]
  const sources = names.map((name) => {
    if (!isExpression(name)) return `^(?:${sourceOf(name)})$`
    return `(?:${name.startsWith('^') ? name : name.slice(1, -1)})`
  })
  try {
    return new RegExp(sources.join('|'), 's')
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

/** Moves each partition to `count` messages before its end. */
export function seekBeforeEnd(
  session: Session,
  client: KafkaClient,
  consumer: Consumer,
  count: number,
): Promise<void> {
  return seekEach(session, client, consumer, (end) => end - count)
}

/**
 * Moves each partition to an offset, or to the nearer end of its log if the offset is outside it.
 */
export function seekToOffset(
  session: Session,
  client: KafkaClient,
  consumer: Consumer,
  offset: number,
): Promise<void> {
  return seekEach(session, client, consumer, (end) => Math.min(end, offset))
}

async function seekEach(
  session: Session,
  client: KafkaClient,
  consumer: Consumer,
  wanted: (end: number) => number,
): Promise<void> {
  const partitions: readonly TopicPartition[] = consumer.assignment
  const [starts, ends] = await Promise.all([
    client.admin.listOffsets(partitions, 'earliest', session.call),
    client.admin.listOffsets(partitions, 'latest', session.call),
  ])
  session.checkItems([...starts, ...ends])
  for (const [index, { topic, partition, offset = 0 }] of ends.entries()) {
    consumer.seek({ topic, partition }, Math.max(starts[index]!.offset ?? 0, wanted(offset)))
  }
}

/** The number of offsets from the positions of a consumer to the ends of its partitions. */
export async function offsetsLeft(
  session: Session,
  client: KafkaClient,
  { positions }: Reader,
): Promise<number> {
  const ends = await client.admin.listOffsets(positions, 'latest', session.call)
  return ends.reduce(
    (sum, { offset = 0 }, index) => sum + Math.max(0, offset - positions[index]!.offset),
    0,
  )
}

/** Detects messages after the end of a range, and when every partition has reached it. */
export class RangeEnd {
  readonly #range: Range
  readonly #past = new Map<string, Set<number>>()
  readonly isBounded: boolean

  constructor(range: Range) {
    this.#range = range
    this.isBounded = range.untilMs !== Infinity || range.untilOffset !== Infinity
  }

  /**
   * Whether a message is after the end. Timestamps usually only grow, so a partition ends at its
   * first message that is too late.
   */
  isPast(message: {
    topic: string
    partition: number
    offset: number
    timestamp: number
  }): boolean {
    if (!this.isBounded) return false
    const { topic, partition, offset, timestamp } = message
    let ofTopic = this.#past.get(topic)
    if (ofTopic?.has(partition) === true) return true
    if (timestamp < this.#range.untilMs && offset < this.#range.untilOffset) return false
    if (ofTopic === undefined) this.#past.set(topic, (ofTopic = new Set()))
    ofTopic.add(partition)
    return true
  }

  /** Whether all partitions of the consumer have reached the end. */
  hasEnded(consumer: Reader): boolean {
    return consumer.assignment.every(
      ({ topic, partition }) => this.#past.get(topic)?.has(partition) === true,
    )
  }
}

/** The existing topics that the names select. */
export async function topicNames(
  session: Session,
  client: KafkaClient,
  names: readonly string[],
): Promise<readonly string[]> {
  const topics = topicsOf(names)
  if (!(topics instanceof RegExp)) return topics
  const all = await client.admin.listTopicNames(session.call)
  const found = all.filter((name) => topics.test(name))
  if (found.length === 0) throw new UsageError(`no topic matches ${names.join(' ')}`)
  return found
}
