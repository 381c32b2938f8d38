import type { PartitionMetadata } from '../../cluster/metadata.ts'
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import type { Claim, HeldPartition } from '../coordinator.ts'
import { ZooKeeperError } from './errors.ts'
import type { ZooKeeperSession } from './session.ts'
import { partitionOf, type GroupPaths } from './znodes.ts'

/** A partition that is this member's by all its znodes. */
interface Claimed extends TopicPartition {
  readonly paths: readonly string[]
}

/** What is wrong with something that was claimed. */
export interface Violation extends TopicPartition {
  readonly reason: string
}

/** A partition to be claimed: who could lead it decides the names of its znodes. */
export interface Claimable extends TopicPartition {
  readonly metadata: PartitionMetadata
}

/** This member's entries among the owners of partitions, and what others have there. */
export class Owners {
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #memberOf: (topic: string) => string
  /** Called once after each listing, when something changed since. */
  readonly #onChange: () => void
  readonly #claimed = new Map<string, Claimed>()
  /** A request ended without an answer: there may be entries of this member that it does not know of. */
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

  /** With the session all entries have gone. */
  forget(): void {
    this.#claimed.clear()
    this.#isUncertain = false
  }

  /**
   * Looks whether what was claimed before is this member's alone. What is not is given up here, and said: an entry
   * that somebody removed, or another's under the id of a leader that nobody could know of. An owner does not give
   * way to one that is in both folders, so of samsa: that one looks, too, when it has claimed, and does.
   */
  violations(topics: Iterable<string>): Promise<readonly Violation[]> {
    return this.#violations(topics, this.#claimed, (path, foreign) => !isInBoth(path, foreign))
  }

  /** Of some that were claimed, in some topics. What is claimed while this is asked need not be in the answer. */
  async #violations(
    topics: Iterable<string>,
    claims: ReadonlyMap<string, Claimed>,
    yieldsTo: (path: string, foreign: readonly string[]) => boolean,
  ): Promise<readonly Violation[]> {
    const among = new Set(topics)
    const before = [...claims].filter(([, { topic }]) => among.has(topic))
    const listed = await this.#list(among)
    const violations: Violation[] = []
    for (const [name, claimed] of before) {
      if (this.#claimed.get(name) !== claimed) continue
      const { topic, partition, paths } = claimed
      const owners = listed.get(name) ?? []
      const foreign = owners.filter((path) => !paths.includes(path))
      const isWhole = paths.every((path) => owners.includes(path))
      if (isWhole && !foreign.some((path) => yieldsTo(path, foreign))) continue
      this.#claimed.delete(name)
      const reason = isWhole
        ? `${foreign.join(' and ')} is another's, too`
        : `an entry of ${name} was removed`
      violations.push({ topic, partition, reason })
      await this.#removeOwn(topic, paths)
    }
    return violations
  }

  /** Removes entries of this member that it does not know of, left by requests that were never answered. */
  async tidy(topics: Iterable<string>): Promise<void> {
    if (!this.#isUncertain) return
    const listed = await this.#list(topics)
    const known = new Set([...this.#claimed.values()].flatMap(({ paths }) => paths))
    const unknown = [...listed.values()].flat().filter((path) => !known.has(path))
    for (const topic of topics) await this.#removeOwn(topic, unknown)
    this.#isUncertain = false
  }

  /** Which of these have no owner at the moment. */
  async free(partitions: readonly TopicPartition[]): Promise<readonly TopicPartition[]> {
    const listed = await this.#list(new Set(partitions.map(({ topic }) => topic)))
    return partitions.filter((partition) => !listed.has(nameOf(partition)))
  }

  async claim(partitions: readonly Claimable[]): Promise<Claim> {
    const sessionId = this.#session.id
    const results = await Promise.allSettled(partitions.map((one) => this.#create(one)))
    const failed = results.find((result) => result.status === 'rejected')
    const created = results.flatMap((result) =>
      result.status === 'fulfilled' && result.value !== undefined ? [result.value] : [],
    )
    if (failed !== undefined) {
      // None counts as claimed: the entries that there are now are removed before the next attempt.
      this.#isUncertain = true
      throw failed.reason
    }
    if (sessionId !== this.#session.id) {
      throw new ZooKeeperError('ZOOKEEPER_SESSION_EXPIRED', 'the session ended while claiming')
    }
    const claims = new Map(created.map((one) => [nameOf(one), one]))
    for (const [name, claimed] of claims) this.#claimed.set(name, claimed)
    // Who claims under another leader's id meets none of our entries, nor we theirs: the later of us sees both now.
    const topics = created.map(({ topic }) => topic)
    const violations = await this.#violations(topics, claims, () => true).catch(
      (error: unknown) => {
        for (const name of claims.keys()) this.#claimed.delete(name)
        this.#isUncertain = true
        throw error
      },
    )
    const isViolated = new Set(violations.map(nameOf))
    const claimed = created.filter((one) => !isViolated.has(nameOf(one)))
    const isClaimed = new Set(claimed.map(nameOf))
    const held = partitions.filter((one) => !isClaimed.has(nameOf(one)))
    return { claimed, heldByOthers: await Promise.all(held.map((one) => this.#holder(one))) }
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

  /** Undefined where somebody has it. */
  async #create({ topic, partition, metadata }: Claimable): Promise<Claimed | undefined> {
    const paths = this.#paths.claim(topic, metadata)
    const outcome = await this.#session.createAll(paths, this.#memberOf(topic))
    if (outcome === 'exists') return undefined
    if (outcome === 'created') return { topic, partition, paths }
    const [folder] = this.#paths.owners(topic)
    throw new ZooKeeperError('ZOOKEEPER_ERROR', `${folder}, or what belongs to it, was removed`)
  }

  async #holder({ topic, partition, metadata }: Claimable): Promise<HeldPartition> {
    const data = await Promise.all(
      this.#paths.claim(topic, metadata).map((path) => this.#session.data(path)),
    )
    return { topic, partition, owner: data.find((owner) => owner !== undefined) }
  }

  /** Only those that have this member's id: what was removed may be another's by now. */
  async #removeOwn(topic: string, paths: readonly string[]): Promise<void> {
    const data = await Promise.all(paths.map((path) => this.#session.data(path)))
    const member = this.#memberOf(topic)
    await this.#session.removeAll(paths.filter((_, index) => data[index] === member))
  }

  /** All entries by the partition that they are about. */
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

/** Whether there is an entry of the same name in the other folder, too: pykafka writes one, samsa both. */
function isInBoth(path: string, paths: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/'))
  return paths.some((other) => other !== path && other.endsWith(name))
}
