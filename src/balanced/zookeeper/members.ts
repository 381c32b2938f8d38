import { znodeNameProblem } from '../../cluster/zookeeper-hosts.ts'
import type { Logger } from '../../observe/logger.ts'
import { compare } from './decide-partitions.ts'
import { ZooKeeperError } from './errors.ts'
import type { ZooKeeperSession } from './session.ts'
import type { GroupPaths } from './znodes.ts'

const MOST_MEMBERS = 10_000
const READ_AT_ONCE = 100

/** The members of a group by their entries in `ids`, this one included. */
export class Members {
  readonly #session: ZooKeeperSession
  readonly #paths: GroupPaths
  readonly #logger: Logger
  readonly #onChange: () => void
  /** The entries of this member, by id. */
  readonly #own = new Map<string, string>()
  /** The topic of each member. The topic of an id never changes, so it is read once. */
  readonly #topics = new Map<string, string>()

  constructor(session: ZooKeeperSession, paths: GroupPaths, logger: Logger, onChange: () => void) {
    this.#session = session
    this.#paths = paths
    this.#logger = logger
    this.#onChange = onChange
  }

  /** All entries end with the session. */
  forget(): void {
    this.#own.clear()
  }

  /** Makes this member a member of these topics, by the ids given, and of no other. */
  async register(wanted: ReadonlyMap<string, string>): Promise<void> {
    for (const id of this.#own.keys()) {
      if (wanted.has(id)) continue
      await this.#session.removeAll([this.#paths.member(id)])
      this.#own.delete(id)
    }
    for (const [id, topic] of wanted) {
      if (!this.#own.has(id)) await this.#create(id, topic)
    }
  }

  /**
   * Returns the ids of the members of each topic, sorted. Entries of this member that are missing are registered
   * again.
   */
  async byTopic(): Promise<ReadonlyMap<string, readonly string[]>> {
    const ids = new Set((await this.#session.children(this.#paths.ids, this.#onChange)) ?? [])
    for (const [id, topic] of this.#own) {
      if (ids.has(id)) continue
      await this.#create(id, topic)
      ids.add(id)
    }
    for (const id of this.#topics.keys()) if (!ids.has(id)) this.#topics.delete(id)
    await this.#readAll(
      [...ids].filter((id) => !this.#topics.has(id) && znodeNameProblem(id) === undefined),
    )
    const found = new Map<string, string[]>()
    for (const [id, topic] of this.#topics) found.set(topic, [...(found.get(topic) ?? []), id])
    for (const members of found.values()) members.sort(compare)
    return found
  }

  /** Makes all members check again, by leaving and joining in one step. */
  async triggerRebalance(): Promise<void> {
    for (const [id, topic] of this.#own) await this.#session.replace(this.#paths.member(id), topic)
  }

  /** For a session that continues when this member leaves. */
  async unregister(): Promise<void> {
    await this.register(new Map())
  }

  async #create(id: string, topic: string): Promise<void> {
    const path = this.#paths.member(id)
    const outcome = await this.#session.createAll([path], topic)
    // The entry is of an attempt whose response was lost, or of an earlier session, whose end would delete it.
    if (outcome === 'exists' && (await this.#session.ephemeralOwner(path)) !== this.#session.id) {
      await this.#session.replace(path, topic)
    }
    this.#own.set(id, topic)
  }

  /** Reads a page at a time, so that a folder with foreign entries does not fill the memory with requests. */
  async #readAll(ids: readonly string[]): Promise<void> {
    if (ids.length > MOST_MEMBERS) {
      const what = `${this.#paths.ids} has ${ids.length} entries, more than any group has: it is ignored`
      throw new ZooKeeperError('ZOOKEEPER_ERROR', what)
    }
    for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
      await Promise.all(ids.slice(from, from + READ_AT_ONCE).map((id) => this.#read(id)))
    }
  }

  async #read(id: string): Promise<void> {
    const topic = await this.#session.data(this.#paths.member(id))
    // The member has left since it was listed; the watch causes the next check.
    if (topic === undefined) return
    this.#topics.set(id, topic)
    if (/^[\w.-]*$/.test(topic)) return
    this.#logger.warn(
      `${this.#paths.member(id)} was not created by samsa or pykafka and is ignored: ` +
        `it has '${topic.slice(0, 100)}' where a topic is expected`,
    )
  }
}
