import type { PartitionMetadata } from '../../cluster/metadata.ts'
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import type { ClaimResult, HeldPartition } from '../coordinator.ts'
import { ZooKeeperError } from './errors.ts'
import type { ZooKeeperSession } from './session.ts'
import { partitionOf, type GroupPaths } from './znodes.ts'

/** A partition that this member has claimed by all its znodes. */
interface Claimed extends TopicPartition {
  readonly paths: readonly string[]
}

/** A problem with a claimed partition. */
export interface Violation extends TopicPartition {
  readonly reason: string
}

/** A partition to claim. The brokers that could lead it determine the names of its znodes. */
export interface Claimable extends TopicPartition {
  readonly metadata: PartitionMetadata
}

/** The result of a check of the owners. */
export interface OwnershipCheck {
  /** Claims that no longer belong to this member alone. */
  readonly violations: readonly Violation[]
  /** Partitions that this member waits for and that have no owner. */
  readonly free: readonly TopicPartition[]
}

/**
 * The number of partitions that are claimed in one transaction; each has two znodes for each broker that could lead
 * it.
 */
const CLAIMS_AT_ONCE = 50
/** The number of partitions whose owners are looked up for the text of an error. */
const HOLDERS_NAMED = 10

/** This member's entries among the owners of partitions, and the entries of others. */
export class Owners {
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #memberOf: (topic: string) => string
  /** Called once after each listing, when something has changed since. */
  readonly #onChange: () => void
  readonly #claimed = new Map<string, Claimed>()
  /** A request ended without a response: this member may have entries that it does not know of. */
  #isUncertain = false

  constructor(
    session: ZooKeeperSession,
    paths: GroupPaths,
    memberOf: (topic: string) => string,
    onChange: () => void,
  ) {
    this.#session = session
    this.#paths = paths
    this.#memberOf = memberOf
    this.#onChange = onChange
  }

  has(partition: TopicPartition): boolean {
    return this.#claimed.has(nameOf(partition))
  }

  /** All entries end with the session. */
  forget(): void {
    this.#claimed.clear()
    this.#isUncertain = false
  }

  /**
   * Releases and returns every claim that is no longer exclusive: its znode was removed, or another member claimed the
   * partition under an unexpected leader id. Claims present in both folders were made by samsa, which checks again after
   * claiming and backs off itself, so they do not displace this owner. Claims made during the call may be missing from
   * the result.
   */
  async verify(
    topics: Iterable<string>,
    wanted: readonly TopicPartition[] = [],
  ): Promise<OwnershipCheck> {
    const among = new Set(topics)
    const before = [...this.#claimed].filter(([, { topic }]) => among.has(topic))
    const listed = await this.#list(among)
    const yieldsTo = (path: string, foreign: readonly string[]) => !isInBoth(path, foreign)
    return {
      violations: await this.#violations(before, listed, yieldsTo),
      free: wanted.filter((one) => among.has(one.topic) && !listed.has(nameOf(one))),
    }
  }

  async #violations(
    claims: Iterable<readonly [string, Claimed]>,
    listed: ReadonlyMap<string, readonly string[]>,
    yieldsTo: (path: string, foreign: readonly string[]) => boolean,
  ): Promise<readonly Violation[]> {
    const violations: Violation[] = []
    for (const [name, claimed] of claims) {
      if (this.#claimed.get(name) !== claimed) continue
      const { topic, partition, paths } = claimed
      const owners = listed.get(name) ?? []
      const foreign = owners.filter((path) => !paths.includes(path))
      const isWhole = paths.every((path) => owners.includes(path))
      if (isWhole && !foreign.some((path) => yieldsTo(path, foreign))) continue
      this.#claimed.delete(name)
      const reason = isWhole
        ? `${foreign.join(' and ')} also belongs to another member`
        : `an entry of ${name} was removed`
      violations.push({ topic, partition, reason })
      await this.#removeOwn(topic, paths)
    }
    return violations
  }

  /** Removes entries of this member that it does not know of; requests without a response left them. */
  async removeStale(topics: Iterable<string>): Promise<void> {
    if (!this.#isUncertain) return
    const listed = await this.#list(topics)
    const known = new Set([...this.#claimed.values()].flatMap(({ paths }) => paths))
    const unknown = [...listed.values()].flat().filter((path) => !known.has(path))
    for (const topic of topics) await this.#removeOwn(topic, unknown)
    this.#isUncertain = false
  }

  async claim(partitions: readonly Claimable[]): Promise<ClaimResult> {
    const sessionId = this.#session.id
    // Partitions that others own are not tried: most of a rebalance's claims would be for partitions that are about
    // to be given up.
    const before = await this.#list(new Set(partitions.map(({ topic }) => topic)))
    const free = partitions.filter((one) => !before.has(nameOf(one)))
    const results = await Promise.allSettled(together(free).map((some) => this.#createAll(some)))
    const failed = results.find((result) => result.status === 'rejected')
    const created = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    if (failed !== undefined) {
      // None counts as claimed: the next attempt first removes the entries that exist now.
      this.#isUncertain = true
      throw failed.reason
    }
    if (sessionId !== this.#session.id) {
      throw new ZooKeeperError('ZOOKEEPER_SESSION_EXPIRED', 'the session ended while claiming')
    }
    const claims = new Map(created.map((one) => [nameOf(one), one]))
    for (const [name, claimed] of claims) this.#claimed.set(name, claimed)
    // A member that claims under another leader's id conflicts with none of our entries: the later of the two sees
    // both now.
    const topics = created.map(({ topic }) => topic)
    const lookAgain = async () => {
      const listed = await this.#list(new Set(topics))
      return this.#violations(claims, listed, () => true)
    }
    const violations = await lookAgain().catch((error: unknown) => {
      for (const name of claims.keys()) this.#claimed.delete(name)
      this.#isUncertain = true
      throw error
    })
    const isViolated = new Set(violations.map(nameOf))
    const claimed = created.filter((one) => !isViolated.has(nameOf(one)))
    const isClaimed = new Set(claimed.map(nameOf))
    const held = partitions.filter((one) => !isClaimed.has(nameOf(one)))
    return { claimed, heldByOthers: await this.#holders(held) }
  }

  async release(partitions: readonly TopicPartition[]): Promise<void> {
    const claimed = partitions.flatMap((one) => this.#claimed.get(nameOf(one)) ?? [])
    try {
      await this.#session.removeAll(claimed.flatMap(({ paths }) => paths))
    } catch (error) {
      this.#isUncertain = true
      throw error
    }
    for (const one of claimed) this.#claimed.delete(nameOf(one))
  }

  /** Creates claims for partitions without an owner; all are of one topic. */
  async #createAll(partitions: readonly Claimable[]): Promise<readonly Claimed[]> {
    const claims = partitions.map(({ topic, partition, metadata }) => {
      return { topic, partition, paths: this.#paths.claim(topic, metadata) }
    })
    const [{ topic } = { topic: '' }] = partitions
    const paths = claims.flatMap((claim) => claim.paths)
    const outcome = await this.#session.createAll(paths, this.#memberOf(topic))
    if (outcome === 'created') return claims
    // Another member was faster with one of them. The others may be free.
    const created = await Promise.all(partitions.map((one) => this.#create(one)))
    return created.filter((one) => one !== undefined)
  }

  /** Undefined if another member has claimed it. */
  async #create({ topic, partition, metadata }: Claimable): Promise<Claimed | undefined> {
    const paths = this.#paths.claim(topic, metadata)
    const outcome = await this.#session.createAll(paths, this.#memberOf(topic))
    if (outcome === 'exists') return undefined
    if (outcome === 'created') return { topic, partition, paths }
    const [folder] = this.#paths.owners(topic)
    throw new ZooKeeperError('ZOOKEEPER_ERROR', `${folder}, or a part of it, was removed`)
  }

  async #holders(held: readonly Claimable[]): Promise<readonly HeldPartition[]> {
    const named = await Promise.all(held.slice(0, HOLDERS_NAMED).map((one) => this.#holder(one)))
    const others = held.slice(HOLDERS_NAMED)
    return [
      ...named,
      ...others.map(({ topic, partition }) => ({ topic, partition, owner: undefined })),
    ]
  }

  async #holder({ topic, partition, metadata }: Claimable): Promise<HeldPartition> {
    const data = await Promise.all(
      this.#paths.claim(topic, metadata).map((path) => this.#session.data(path)),
    )
    return { topic, partition, owner: data.find((owner) => owner !== undefined) }
  }

  /** Removes only entries with this member's id: a removed one may now be another member's. */
  async #removeOwn(topic: string, paths: readonly string[]): Promise<void> {
    const data = await Promise.all(paths.map((path) => this.#session.data(path)))
    const member = this.#memberOf(topic)
    await this.#session.removeAll(paths.filter((_, index) => data[index] === member))
  }

  /** Returns all entries, by their partition. */
  async #list(topics: Iterable<string>): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, string[]>()
    const list = async (topic: string, folder: string) => {
      for (const name of (await this.#session.children(folder, this.#onChange)) ?? []) {
        const partition = partitionOf(name)
        if (partition === undefined) continue
        const key = nameOf({ topic, partition })
        found.set(key, [...(found.get(key) ?? []), `${folder}/${name}`])
      }
    }
    await Promise.all(
      [...topics].flatMap((topic) =>
        this.#paths.owners(topic).map((folder) => list(topic, folder)),
      ),
    )
    return found
  }
}

/**
 * Divides partitions into groups, each claimed in one transaction: all of one topic, because its znodes contain the
 * member's name for this topic.
 */
function together(partitions: readonly Claimable[]): Claimable[][] {
  const groups: Claimable[][] = []
  for (const one of partitions) {
    const last = groups.at(-1)
    const hasRoom = last !== undefined && last.length < CLAIMS_AT_ONCE
    if (hasRoom && last[0]?.topic === one.topic) last.push(one)
    else groups.push([one])
  }
  return groups
}

/** True if there is an entry of the same name in the other folder, too: pykafka writes one, samsa both. */
function isInBoth(path: string, paths: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/'))
  return paths.some((other) => other !== path && other.endsWith(name))
}
