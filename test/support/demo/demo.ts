import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient } from '../../../src/index.ts'
import { waitFor } from '../kafka/wait.ts'
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
/** To watch it between two changes. */
const PAUSE_MS = 1_500
/** From a change until each partition has an owner again. */
const SETTLE_MS = 30_000
/** From the last message sent to the last one read. */
const CATCH_UP_MS = 15_000

/** Messages flow while a process of the group is killed and another joins; then says whether any was lost. */
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
  screen.say(`\nProcesses ${names}\nshare out the partitions of topic ${place.topic}.`)
  screen.show(groupPicture(group, ledger))
  await settled()

  screen.say(
    `Sending lines of this repository's ${sources.files} TypeScript files, ${count(MESSAGES_PER_SECOND)} a second.`,
  )
  const sending = new AbortController()
  const sent = feed(producer, sources.lines, ledger, MESSAGES_PER_SECOND, sending.signal)
  // Looked at below; what comes before that may throw too.
  sent.catch(() => undefined)
  try {
    await delay(PAUSE_MS, undefined, { signal })

    const victim = group.busiest
    const taken = victim.partitions.join(' ')
    await victim.kill()
    screen.say(`Killed process ${victim.name} (SIGKILL): nobody reads partitions ${taken} now.`)
    screen.say(
      `Others took them over after ${seconds(await settled())}, when its session was over.`,
    )
    await delay(PAUSE_MS, undefined, { signal })

    const { name, pid } = group.join()
    screen.say(`Process ${name} (pid ${pid}) joins.`)
    screen.say(`It has its share after ${seconds(await settled())}.`)
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

/** Resolves with how long it took. */
async function settles(group: Group, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now()
  const isSettled = () => {
    group.throwIfFailed()
    return group.isSettled() ? true : undefined
  }
  await waitFor(isSettled, {
    timeoutMs: SETTLE_MS,
    signal,
    onTimeout: () => new Error(`Partitions are not shared out after ${seconds(SETTLE_MS)}`),
  })
  return performance.now() - startedAt
}

/** Or as much as there is to come: what is missing then, the audit says. */
async function allIsRead(group: Group, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + CATCH_UP_MS
  while (ledger.totalLag > 0 && performance.now() < giveUpAt) {
    group.throwIfFailed()
    await delay(50, undefined, { signal })
  }
}
