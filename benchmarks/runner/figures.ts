import type { Measurement, TaskName } from './task.ts'

/** A figure of a run, and a column of the tables. */
export interface Column {
  readonly key: string
  readonly title: string
  /** More is better: rates. Else less is. */
  readonly more: boolean
  /** A figure above is marked. */
  readonly most?: number
}

const RATE: Column = { key: 'rate', title: 'messages/s', more: true }
const CPU: Column = { key: 'cpu', title: 'CPU µs/message', more: false }
const MEGABYTES: Column = { key: 'megabytes', title: 'MB/s', more: true }
const MEMORY: Column = { key: 'memory', title: 'peak MB', more: false }
const P50: Column = { key: 'p50', title: 'p50 ms', more: false }
const P99: Column = { key: 'p99', title: 'p99 ms', more: false }
const P999: Column = { key: 'p999', title: 'p99.9 ms', more: false }

/** A longer delay holds up all other requests that the process answers. */
const DELAY_P99: Column = { key: 'delayP99', title: 'delay p99 ms', more: false, most: 5 }
const DELAYS: readonly Column[] = [
  { key: 'delayP50', title: 'p50 ms', more: false },
  { key: 'delayP999', title: 'p99.9 ms', more: false },
  { key: 'delayMax', title: 'longest ms', more: false },
]

/** An option that costs more is a cliff: it is to be removed, or explained. */
const TIMES_PLAIN: Column = {
  key: 'timesPlain',
  title: 'CPU, times the default',
  more: false,
  most: 2,
}

/** The first is what clients are compared by. */
export function columnsOf(task: TaskName, mode: string, shares: readonly number[]): Column[] {
  if (mode === 'awaited') return [P50, P99, P999, RATE, CPU, MEMORY]
  if (task === 'start') {
    return [
      { key: 'received', title: 'first message received, ms', more: false },
      { key: 'open', title: 'producer and consumer open, ms', more: false },
      { key: 'loaded', title: 'loaded, ms', more: false },
      { key: 'cpuMs', title: 'CPU ms', more: false },
      MEMORY,
    ]
  }
  if (task === 'admin') {
    return [P50, P99, { key: 'cpuOfCall', title: 'CPU ms/call', more: false }, MEMORY]
  }
  if (task === 'member') {
    return [
      { key: 'joined', title: 'all joined, ms', more: false },
      { key: 'idle', title: 'idle CPU, ms/s', more: false },
      { key: 'idleOfMember', title: 'idle CPU of a member, ms/s', more: false },
      MEMORY,
    ]
  }
  if (task === 'rebalance') {
    return [
      { key: 'shared', title: 'shared evenly, ms', more: false },
      { key: 'cpuOfMember', title: 'CPU ms/member', more: false },
      { key: 'zooKeeperRequests', title: 'requests to ZooKeeper', more: false },
      { key: 'brokerRequests', title: 'requests to brokers', more: false },
      MEMORY,
    ]
  }
  // Those of one or none are timed.
  if (task === 'transactions') {
    const isTimed = ['empty', 'of one', 'of ten'].includes(mode)
    const transactionRate = { ...RATE, title: 'transactions/s' }
    return isTimed ? [P50, P99, P999, transactionRate, MEMORY] : [RATE, CPU, P50, P99, MEMORY]
  }
  if (task === 'storm') {
    return [{ ...RATE, title: 'tuples/s' }, { ...CPU, title: 'CPU µs/tuple' }, MEMORY]
  }
  if (task === 'options') return [TIMES_PLAIN, CPU, RATE, MEMORY]
  if (task === 'slow') return [MEMORY, RATE]
  if (task === 'delay') {
    const highest = { ...RATE, title: 'highest rate, messages/s' }
    return [DELAY_P99, ...DELAYS, highest, CPU, MEMORY]
  }
  if (task === 'echo') {
    const ofShares = shares.flatMap((share) => {
      const at = `at ${share * 100} %`
      return [P50, P99, P999].map(({ key, title }) => ({
        key: `${key}-${share}`,
        title: `${title} ${at}`,
        more: false,
      }))
    })
    return [{ ...RATE, title: 'highest rate, messages/s' }, ...ofShares, MEMORY]
  }
  return [RATE, CPU, MEGABYTES, MEMORY]
}

export function figuresOf(measured: Measurement): Readonly<Record<string, number>> {
  const { messages, bytes, elapsedMs, userMs, systemMs, memoryBytes, latencyMs, members } = measured
  const figures: Record<string, number> = {}
  const put = (key: string, value: number | undefined) => {
    if (value !== undefined && Number.isFinite(value)) figures[key] = value
  }
  const cpuMs = userMs === undefined || systemMs === undefined ? undefined : userMs + systemMs
  if (messages !== undefined && elapsedMs !== undefined) {
    put('rate', (messages * 1000) / elapsedMs)
    put('megabytes', bytes === undefined ? undefined : bytes / elapsedMs / 1000)
    put('cpu', cpuMs === undefined ? undefined : (cpuMs * 1000) / messages)
    put('cpuOfCall', cpuMs === undefined ? undefined : cpuMs / messages)
  }
  put('memory', memoryBytes === undefined ? undefined : memoryBytes / 1e6)
  put('timesPlain', measured.timesPlain)
  put('p50', latencyMs?.p50)
  put('p99', latencyMs?.p99)
  put('p999', latencyMs?.p999)
  put('delayP50', measured.delayMs?.p50)
  put('delayP99', measured.delayMs?.p99)
  put('delayP999', measured.delayMs?.p999)
  put('delayMax', measured.delayMs?.max)
  const { idle } = measured
  put('joined', measured.joinedMs)
  const idleMs = idle && ((idle.userMs + idle.systemMs) * 1000) / idle.elapsedMs
  put('idle', idleMs)
  put('idleOfMember', idleMs && members ? idleMs / members : undefined)
  put('shared', measured.sharedMs)
  put('cpuOfMember', cpuMs !== undefined && members ? cpuMs / members : undefined)
  put('zooKeeperRequests', measured.requests?.zookeeper)
  put('brokerRequests', measured.requests?.brokers)
  put('loaded', measured.loadedMs)
  put('open', measured.openMs)
  put('received', measured.receivedMs)
  if (measured.receivedMs !== undefined) put('cpuMs', cpuMs)
  if (measured.highestRate !== undefined) put('rate', measured.highestRate)
  for (const { share, latencyMs: latency } of measured.steps ?? []) {
    put(`p50-${share}`, latency.p50)
    put(`p99-${share}`, latency.p99)
    put(`p999-${share}`, latency.p999)
  }
  return figures
}
