import type { Case } from './question.ts'

/** From the start of a process to its end, without what it is there for: topics, connecting, closing. */
const START_MS = 900
/** A JVM starts, compiles, and runs the tool twice. */
const JAVA_START_MS = 3_000
/** Messages a second and MB a second, of clients that need not be stopped by time. */
const FAST: Readonly<Record<string, number>> = {
  samsa: 1_500_000,
  bare: 1_500_000,
  librdkafka: 1_000_000,
  java: 700_000,
}
/** Of the others, where they are given many messages at once. */
const SLOW_MANY = 250_000
const FAST_BYTES = 300_000_000
/** The JVM starts, with ZooKeeper and Nimbus, and ends. */
const STORM_START_MS = 15_000
/** What `member` and `group` wait for, see clients/driver. */
const SETTLE_MS = 2_000
const IDLE_MS = 2_000
/** The members that are there settle for seconds, and those that come need seconds with most clients. */
const REBALANCE_MS = 10_000
/** The last of a hundred members has joined after some seconds. */
const JOIN_MS = 25

/** What one run may take on a machine as of today that does nothing else, before anything was measured. */
export function guessMs(asked: Case, client: string): number {
  const { limitMs } = asked
  const startMs = client === 'java' ? JAVA_START_MS : START_MS
  switch (asked.task) {
    case 'member':
      return startMs + SETTLE_MS + limitMs + asked.members * JOIN_MS
    // Each side warms up for half of that, and takes all of its time.
    case 'options':
      return startMs + asked.warmUpMs + 2 * limitMs
    case 'admin':
      return startMs + asked.warmUpMs + limitMs
    case 'start':
      return startMs
    case 'rebalance':
      return startMs + REBALANCE_MS
    case 'storm':
      return STORM_START_MS + asked.warmUpMs + limitMs
    case 'slow':
      return startMs + limitMs
    case 'echo':
    case 'delay':
      return startMs + (1.5 + asked.shares.length) * limitMs
    case 'group':
      return asked.processes * startMs + IDLE_MS + workMs(asked, client)
    default:
      return startMs + asked.warmUpMs / 2 + workMs(asked, client)
  }
}

function workMs({ messages, valueBytes, mode, limitMs }: Case, client: string): number {
  const rate = FAST[client]
  if (rate !== undefined && mode !== 'awaited') {
    return (messages * 1000) / Math.min(rate, FAST_BYTES / valueBytes)
  }
  // A client that waits for each message, or sends each one alone, is stopped by time.
  return mode === 'many' ? Math.min(limitMs, (messages * 1000) / SLOW_MANY) : limitMs
}
