import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient, type BalancedConsumerOptions } from '../../../../src/index.ts'
import { check, type Verdict } from './checker.ts'
import { now, type MemberEvent } from './events.ts'
import { MemberProcess } from './process.ts'

export interface StormOptions {
  readonly hosts: string
  readonly topic: string
  readonly partitions: number
  readonly processes: number
  readonly durationMs: number
  /** How often something is done to a process. */
  readonly everyMs: number
  readonly messagesPerSecond: number
  readonly sessionTimeoutMs: number
  /** For getBalancedConsumer. */
  readonly consumer: BalancedConsumerOptions
  /** For the members' logs. */
  readonly folder: string
  readonly random: () => number
  readonly onProgress?: (text: string) => void
}

export interface StormResult extends Verdict {
  readonly produced: number
  readonly deeds: Readonly<Record<string, number>>
  /** From the last change until each partition was owned by one who lives. */
  readonly settledMs: number
}

/** How long a group may take to be settled after the storm. */
const SETTLE_MS = 10_000
const SETTLE_AFTER_EXPIRY_MS = 30_000

/** Starts, kills, stops and ends members of a group while messages are produced, then checks what they wrote. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const { hosts, topic, partitions, durationMs, everyMs, onProgress = () => undefined } = options
  const members: MemberProcess[] = []
  const deeds: Record<string, number> = { start: 0, kill: 0, stop: 0, leave: 0 }
  const alive = () => members.filter((member) => member.isAlive)
  const start = () => {
    deeds['start']!++
    const name = `m${members.length}`
    const log = join(options.folder, `${name}.log`)
    const { consumer } = options
    members.push(new MemberProcess(name, { hosts, topic, log, consumer, commitIntervalMs: 200 }))
  }
  const pick = <T>(all: readonly T[]): T | undefined =>
    all[Math.floor(options.random() * all.length)]

  await using client = new KafkaClient({ hosts })
  const producing = new AbortController()
  const produced = produce(client, options, producing.signal)
  const waking: Promise<void>[] = []
  try {
    for (let i = 0; i < options.processes; i++) start()
    await until(() => members.some((member) => member.isReady), 60_000, 'no member started')
    const end = now() + durationMs
    while (now() < end) {
      await delay(everyMs * (0.5 + options.random()))
      const ready = alive().filter((member) => member.isReady && !member.isStopped)
      const chance = options.random()
      const one = pick(ready)
      if (one === undefined || ready.length <= 1 || alive().length < options.processes) {
        if (alive().length < options.processes) start()
        continue
      }
      const what = chance < 0.35 ? 'kill' : chance < 0.65 ? 'stop' : 'leave'
      deeds[what]!++
      onProgress(`${what} ${one.name}`)
      if (what === 'kill') one.kill()
      else if (what === 'leave') one.leave()
      else {
        one.stop()
        const pauseMs = options.sessionTimeoutMs * (1.2 + options.random())
        waking.push(delay(pauseMs).then(() => one.continue()))
      }
    }
    await Promise.all(waking)
    const stormEnd = now()
    const limitMs = deeds['kill']! + deeds['stop']! > 0 ? SETTLE_AFTER_EXPIRY_MS : SETTLE_MS
    const isSettled = () => ownedOnce(alive(), partitions)
    await until(isSettled, limitMs, 'the group did not settle')
    const settledMs = now() - stormEnd
    producing.abort()
    const count = await produced
    const ends = await client.topic(topic).latestAvailableOffsets()
    const isRead = () => {
      const read = new Set(members.flatMap((member) => member.events.map(keyOf)))
      return [...ends].every(
        ([partition, next]) => next === 0 || read.has(`${partition}:${next - 1}`),
      )
    }
    await until(isRead, 30_000, 'what was produced was not read to the end')
    for (const member of alive()) member.leave()
    await Promise.all(members.map((member) => member.ended()))
    const verdict = check(
      members.map(({ life }) => life),
      ends,
    )
    return { ...verdict, produced: count, deeds, settledMs }
  } finally {
    producing.abort()
    for (const member of alive()) member.kill()
    await Promise.all(members.map((member) => member.ended()))
  }
}

function keyOf(event: MemberEvent): string {
  return event.what === 'message' ? `${event.partition}:${event.offset}` : ''
}

/** Whether each partition is one living member's, by what they wrote. */
function ownedOnce(members: readonly MemberProcess[], partitions: number): boolean {
  const owned = members.flatMap((member) => {
    const own = new Set<number>()
    for (const event of member.events) {
      if (event.what === 'assigned') for (const one of event.partitions) own.add(one)
      if (event.what === 'revoked' || event.what === 'lost') {
        for (const one of event.partitions) own.delete(one)
      }
    }
    return [...own]
  })
  return owned.length === partitions && new Set(owned).size === partitions
}

async function produce(
  client: KafkaClient,
  { topic, partitions, messagesPerSecond }: StormOptions,
  signal: AbortSignal,
): Promise<number> {
  await using producer = await client.topic(topic).getProducer({ lingerMs: 5 })
  let count = 0
  while (!signal.aborted) {
    for (let i = 0; i < messagesPerSecond / 20; i++) {
      void producer.produce(`${count}`, { partition: count % partitions })
      count++
    }
    await delay(50)
  }
  // Throws if any of them failed.
  await producer.flush()
  return count
}

async function until(isSo: () => boolean, timeoutMs: number, otherwise: string): Promise<void> {
  const end = now() + timeoutMs
  while (!isSo()) {
    if (now() > end) throw new Error(`${otherwise} within ${timeoutMs} ms`)
    await delay(50)
  }
}
