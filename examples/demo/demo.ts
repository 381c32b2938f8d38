import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient } from 'samsa'
import { waitFor } from './wait.ts'
import { audit, type Audit } from './audit.ts'
import { feed } from './feed.ts'
import { count, seconds } from './format.ts'
import { Group } from './group.ts'
import { groupPicture } from './group-picture.ts'
import { Ledger } from './ledger.ts'
import type { Place } from './place.ts'
import type { Screen } from './screen.ts'
import { readSources } from './sources.ts'

const MEMBERS = 3
const MESSAGES_PER_SECOND = 4_000
/** The time between two changes. */
const PAUSE_MS = 1_500
/** The limit for a rebalance. */
const SETTLE_MS = 30_000
/** The limit from the last message sent to the last one read. */
const CATCH_UP_MS = 15_000

/** Sends and reads messages while one process of the group is killed and another joins, then audits the result. */
export async function demo(place: Place, screen: Screen, signal: AbortSignal): Promise<Audit> {
  await using client = new KafkaClient({ hosts: place.hosts })
  const topic = client.topic(place.topic)
  await using producer = await topic.getProducer({ compression: 'lz4', lingerMs: 5 })
  const ledger = new Ledger((await topic.partitions()).map(({ partition }) => partition))
  const sources = await readSources()
  const { hosts, consumer } = place
  await using group = new Group({ hosts, topic: place.topic, consumer }, ledger, (text) =>
    screen.say(text),
  )
  const settled = () => settles(group, signal)

  const members = Array.from({ length: MEMBERS }, () => group.join())
  const names = members.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')
  screen.say(`\nProcesses ${names}\nshare the partitions of the topic ${place.topic}.`)
  screen.show(groupPicture(group, ledger))
  await settled()

  screen.say(
    `Sending lines of this repository's ${sources.files} TypeScript files, ${count(MESSAGES_PER_SECOND)} per second.`,
  )
  const sending = new AbortController()
  const sent = feed(producer, sources.lines, ledger, MESSAGES_PER_SECOND, sending.signal)
  // Awaited below. The code in between may throw first.
  sent.catch(() => undefined)
  try {
    await delay(PAUSE_MS, undefined, { signal })

    const victim = group.busiest
    const taken = victim.partitions.join(' ')
    await victim.kill()
    screen.say(`Killed process ${victim.name} (SIGKILL). Partitions ${taken} have no reader now.`)
    screen.say(
      `Other processes took them over after ${seconds(await settled())}, when its session expired.`,
    )
    await delay(PAUSE_MS, undefined, { signal })

    const { name, pid } = group.join()
    screen.say(`Process ${name} (pid ${pid}) joins.`)
    screen.say(`It owns its share of the partitions after ${seconds(await settled())}.`)
    await delay(PAUSE_MS, undefined, { signal })
  } finally {
    sending.abort()
  }
  await sent
  screen.say(`${count(ledger.totalSent)} lines were sent.`)
  await allIsRead(group, ledger, signal)
  await group.leave()
  group.throwIfFailed()
  return audit(ledger, group.cutOffs)
}

/** Resolves with the duration of the rebalance. */
async function settles(group: Group, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now()
  const isSettled = () => {
    group.throwIfFailed()
    return group.isSettled()
  }
  await waitFor(isSettled, {
    timeoutMs: SETTLE_MS,
    signal,
    onTimeout: () => new Error(`The rebalance took longer than ${seconds(SETTLE_MS)}`),
  })
  return performance.now() - startedAt
}

/** Waits until everything is read, or for CATCH_UP_MS. The audit reports missing messages. */
async function allIsRead(group: Group, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + CATCH_UP_MS
  while (ledger.totalLag > 0 && performance.now() < giveUpAt) {
    group.throwIfFailed()
    await delay(50, undefined, { signal })
  }
}
