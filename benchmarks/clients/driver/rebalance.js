import { connect } from 'node:net'
import { Meter, peakMemoryBytes } from './meter.js'

/** What the rebalance before left behind is over by then, heartbeats that come sooner for it too. */
export const QUIET_MS = 4_000
const SHARE_MS = 60_000

/**
 * A way is `async (task, member) => …`: it joins `task.group` as one more member, which calls `member.owns(partitions)`
 * after each change, and `member.asked()` for each request to a broker, if the client reports them. It resolves with a
 * function that closes the member.
 *
 * `task.before` members are there already, all in this process; the others join at the same time. The time runs until
 * each partition is one member's, and all have as many, give or take one: what all assignors do here.
 */
export async function rebalanceTask(join, task) {
  await warmUp(join, { ...task, group: `${task.group}-warm-up` })
  const group = new Group(task.partitions)
  const add = async (count) => {
    const joining = Array.from({ length: count }, () => join(task, group.newMember()))
    await Promise.all([...joining, group.shared()])
  }
  if (task.before > 0) await add(task.before)
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  const meter = new Meter()
  const before = { brokers: group.requests, zookeeper: await zooKeeperRequests(task) }
  meter.start()
  const adding = add(task.members - task.before)
  await group.shared()
  const { elapsedMs, userMs, systemMs } = meter.stop()
  const requests = {
    ...(group.requests > 0 ? { brokers: group.requests - before.brokers } : {}),
    ...(task.zookeeper === undefined
      ? {}
      : { zookeeper: (await zooKeeperRequests(task)) - before.zookeeper }),
  }
  await adding
  const memoryBytes = peakMemoryBytes()
  return { sharedMs: elapsedMs, userMs, systemMs, members: task.members, requests, memoryBytes }
}

/** A small group has the code loaded and compiled, as that of Java's driver has. */
async function warmUp(join, task) {
  const group = new Group(task.partitions)
  const joining = Array.from({ length: 2 }, () => join(task, group.newMember()))
  const closing = await Promise.all(joining)
  await group.shared()
  await Promise.all(closing.map((close) => close()))
}

/** The partitions of each member, as the members report them. */
class Group {
  requests = 0
  #partitions
  #members = []
  #waiting = []

  constructor(partitions) {
    this.#partitions = partitions
  }

  newMember() {
    const at = this.#members.push(new Set()) - 1
    return {
      isFirst: at === 0,
      owns: (partitions) => {
        this.#members[at] = new Set(partitions)
        if (!this.#isShared()) return
        for (const resolve of this.#waiting) resolve()
        this.#waiting = []
      },
      asked: () => {
        this.requests++
      },
    }
  }

  /** Resolves when all members that there are then have their part. */
  async shared() {
    if (this.#isShared()) return
    let timer
    const late = new Promise((_, reject) => {
      const sizes = () => this.#members.map(({ size }) => size).join(', ')
      const fail = () =>
        reject(new Error(`never shared evenly; members have ${sizes()} partitions`))
      timer = setTimeout(fail, SHARE_MS)
    })
    await Promise.race([new Promise((resolve) => this.#waiting.push(resolve)), late])
    clearTimeout(timer)
  }

  #isShared() {
    const least = Math.floor(this.#partitions / this.#members.length)
    const isEven = this.#members.every(({ size }) => size === least || size === least + 1)
    const owned = this.#members.reduce((total, { size }) => total + size, 0)
    if (!isEven || owned !== this.#partitions) return false
    return new Set(this.#members.flatMap((one) => [...one])).size === this.#partitions
  }
}

/** What the server itself counts, pings included. */
async function zooKeeperRequests({ zookeeper }) {
  if (zookeeper === undefined) return 0
  const [host, port] = zookeeper.split(':')
  const socket = connect(Number(port), host)
  socket.write('srvr')
  let said = ''
  for await (const data of socket) said += data
  return Number(/^Received: (\d+)$/m.exec(said)[1])
}
