import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { Compression } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { bytes, declare, duration, option, positive, wholeNumber } from '../command.ts'
import { ACKS_OPTION, COMPRESSION_OPTION } from '../message-options.ts'
import { slowDown } from '../pace.ts'
import { Percentiles } from '../percentiles.ts'
import { seekBeforeEnd } from '../range.ts'
import type { Session } from '../session.ts'

interface ProduceBenchOptions {
  readonly count: number
  readonly size: number
  readonly rate?: number
  readonly compression: Compression
  readonly acks: -1 | 0 | 1
  readonly linger: number
  readonly interval: number
}

interface ConsumeBenchOptions {
  readonly count: number
  readonly latest?: boolean
  readonly interval: number
}

interface Measurement {
  readonly what: 'produce' | 'consume'
  readonly messages: number
  readonly bytes: number
  readonly seconds: number
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  /** The time from `produce` to the acknowledgement, or from the timestamp to the consumer. */
  readonly latencyMs?: Readonly<Record<'p50' | 'p95' | 'p99' | 'p99_9' | 'max', number>>
}

/**
 * Without a limit to the rate, one of this many messages is measured; a promise for each would
 * distort the result.
 */
const MEASURED_OF = 100
const READY_EVERY = 256

/** Adds `samsa bench …`. */
export function benchCommands(samsa: Command): void {
  const bench = samsa
    .command('bench')
    .description('measure how fast a cluster accepts and delivers messages')
  const interval = () =>
    option('--interval <duration>', 'time between two lines on standard error')
      .argParser(duration)
      .default(1_000, '1s')
  declare<ProduceBenchOptions>(bench, {
    name: 'produce <topic>',
    summary: 'send random messages and measure rate and latency',
    options: [
      option('-n, --count <count>', 'how many messages to send')
        .argParser(positive)
        .default(100_000),
      option('--size <bytes>', 'length of each value').argParser(bytes).default(100),
      option('--rate <messages>', 'messages per second (default: as many as possible)').argParser(
        positive,
      ),
      COMPRESSION_OPTION(),
      ACKS_OPTION(),
      option('--linger <ms>', 'how long a batch waits for more messages')
        .argParser(wholeNumber)
        .default(5),
      interval(),
    ],
    notes:
      'The latency is the time from the call to the acknowledgement: of every message with --rate, of every hundredth without.',
    examples: [
      'samsa bench produce test --count 1000000 --size 100',
      'samsa bench produce test --rate 1000 --count 10000 --json',
    ],
    run: benchProduce,
  })
  declare<ConsumeBenchOptions>(bench, {
    name: 'consume <topic>',
    summary: 'read messages and measure the rate',
    options: [
      option('-n, --count <count>', 'how many messages to read')
        .argParser(positive)
        .default(Infinity, 'all existing messages'),
      option('--latest', 'read new messages only, and measure their age on arrival'),
      interval(),
    ],
    examples: ['samsa bench consume test', 'samsa bench consume test --latest -n 10000 --json'],
    run: benchConsume,
  })
}

/** Counts and measures messages, and prints intermediate results. */
class Meter implements Disposable {
  readonly #session: Session
  readonly #what: 'produce' | 'consume'
  readonly #timer: NodeJS.Timeout
  readonly #total = new Percentiles()
  #startedAt = performance.now()
  #recent = new Percentiles()
  #recentAt = this.#startedAt
  #recentMessages = 0
  #endedAt: number | undefined
  messages = 0
  bytes = 0

  constructor(session: Session, what: 'produce' | 'consume', intervalMs: number) {
    this.#session = session
    this.#what = what
    this.#timer = setInterval(() => this.#report(), intervalMs).unref()
  }

  /** Restarts the measurement, to exclude the time spent waiting. */
  restart(): void {
    this.#startedAt = this.#recentAt = performance.now()
  }

  end(): void {
    this.#endedAt = performance.now()
  }

  latency(ms: number): void {
    this.#total.add(Math.max(0.001, ms))
    this.#recent.add(Math.max(0.001, ms))
  }

  result(): Measurement {
    const seconds = ((this.#endedAt ?? performance.now()) - this.#startedAt) / 1000
    const { messages, bytes: total } = this
    const found = this.#total
    const at = (percent: number) => rounded(found.at(percent)!)
    return {
      what: this.#what,
      messages,
      bytes: total,
      seconds: rounded(seconds),
      messagesPerSecond: Math.round(messages / Math.max(seconds, 0.001)),
      bytesPerSecond: Math.round(total / Math.max(seconds, 0.001)),
      ...(found.count === 0
        ? {}
        : {
            latencyMs: {
              p50: at(50),
              p95: at(95),
              p99: at(99),
              p99_9: at(99.9),
              max: rounded(found.maxMs),
            },
          }),
    }
  }

  #report(): void {
    const now = performance.now()
    const messages = this.messages - this.#recentMessages
    const rate = Math.round(messages / ((now - this.#recentAt) / 1000))
    const [p50, p99] = [this.#recent.at(50), this.#recent.at(99)]
    const latency =
      p50 === undefined || p99 === undefined
        ? ''
        : `, latency ${p50.toFixed(1)} ms (p50), ${p99.toFixed(1)} ms (p99)`
    this.#session.say(`${this.messages} messages, ${rate} a second${latency}`)
    this.#recent = new Percentiles()
    this.#recentAt = now
    this.#recentMessages = this.messages
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

async function benchProduce(
  session: Session,
  [name]: readonly string[],
  { count, size, rate, compression, acks, linger, interval }: ProduceBenchOptions,
): Promise<void> {
  const client = await session.client()
  const { signal } = session.interrupt
  await using producer = await client.topic(name!).getProducer({
    compression,
    requiredAcks: acks,
    lingerMs: linger,
    maxRequestSize: Math.max(1_000_012, size + 64),
  })
  // Half of each value is random. Random bytes alone compress less than text does.
  const values = Array.from({ length: 100 }, () =>
    Buffer.concat([randomBytes(Math.ceil(size / 2)), Buffer.alloc(Math.floor(size / 2), 'x')]),
  )
  using meter = new Meter(session, 'produce', interval)
  const startedAt = performance.now()
  for (let sent = 0; sent < count && !signal.aborted;) {
    const value = values[sent % values.length]!
    const delivery = producer.produce(value)
    if (rate !== undefined || sent % MEASURED_OF === 0) {
      const at = performance.now()
      // flush() reports a message that fails.
      delivery.then(
        () => meter.latency(performance.now() - at),
        () => undefined,
      )
    }
    sent++
    meter.messages++
    meter.bytes += value.length
    if (producer.failedMessages > 0) await delivery
    if (rate !== undefined) await slowDown(startedAt, sent, rate, signal)
    else if (sent % READY_EVERY === 0) await producer.ready()
  }
  await producer.flush()
  meter.end()
  print(session, meter.result())
}

async function benchConsume(
  session: Session,
  [name]: readonly string[],
  { count, latest = false, interval }: ConsumeBenchOptions,
): Promise<void> {
  const client = await session.client()
  await using consumer = await client.getConsumer(
    { topics: [name!], autoOffsetReset: latest ? 'latest' : 'earliest', stopAtEnd: !latest },
    session.call,
  )
  if (latest) await seekBeforeEnd(session, client, consumer, 0)
  const stop = (): void => void consumer.close()
  session.interrupt.signal.addEventListener('abort', stop)
  using meter = new Meter(session, 'consume', interval)
  const { ClosedError } = await import('../../index.ts')
  try {
    for await (const batch of consumer.batches()) {
      if (latest && meter.messages === 0) meter.restart()
      const now = Date.now()
      for (const { key, value, timestamp } of batch.messages) {
        meter.messages++
        meter.bytes += (key?.length ?? 0) + (value?.length ?? 0)
        if (latest && timestamp >= 0) meter.latency(now - timestamp)
        if (meter.messages >= count) break
      }
      if (meter.messages >= count) break
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  }
  meter.end()
  print(session, meter.result())
}

function print(session: Session, result: Measurement): void {
  session.print(result, COLUMNS, [result])
}

const COLUMNS: readonly Column<Measurement>[] = [
  { title: 'MESSAGES', align: 'right', of: ({ messages }) => String(messages) },
  { title: 'SECONDS', align: 'right', of: ({ seconds }) => String(seconds) },
  { title: 'MESSAGES/S', align: 'right', of: (one) => String(one.messagesPerSecond) },
  { title: 'MB/S', align: 'right', of: (one) => (one.bytesPerSecond / 1e6).toFixed(1) },
  { title: 'P50 MS', align: 'right', of: ({ latencyMs }) => String(latencyMs?.p50 ?? '-') },
  { title: 'P99 MS', align: 'right', of: ({ latencyMs }) => String(latencyMs?.p99 ?? '-') },
  { title: 'P99.9 MS', align: 'right', of: ({ latencyMs }) => String(latencyMs?.p99_9 ?? '-') },
  { title: 'MAX MS', align: 'right', of: ({ latencyMs }) => String(latencyMs?.max ?? '-') },
]

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
