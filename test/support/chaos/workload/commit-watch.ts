import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaClient } from '../../../../src/index.ts'
import type { ObservedCommit } from '../checker/history.ts'
import { now } from './lines.ts'

/** More often than members commit. */
const LOOK_EVERY_MS = 50
const LOOK_TIMEOUT_MS = 2_000

/** What the brokers have of the offsets of groups, whatever their members say. */
export class CommitWatch {
  readonly commits: ObservedCommit[] = []
  readonly #stop = new AbortController()
  readonly #watching: Promise<void>

  constructor(client: KafkaClient, topic: string, groups: readonly string[]) {
    this.#watching = this.#watch(client, topic, groups)
  }

  async stop(): Promise<readonly ObservedCommit[]> {
    this.#stop.abort()
    await this.#watching
    return this.commits
  }

  async #watch(client: KafkaClient, topic: string, groups: readonly string[]): Promise<void> {
    const last = new Map<string, string>()
    while (!this.#stop.signal.aborted) {
      for (const group of groups) {
        try {
          const [found] = await client.admin.listGroupOffsets([group], {
            timeoutMs: LOOK_TIMEOUT_MS,
          })
          const offsets = new Map(
            (found?.offsets ?? []).flatMap((one) =>
              one.topic === topic && one.offset !== undefined && one.offset >= 0
                ? [[one.partition, one.offset] as const]
                : [],
            ),
          )
          const text = JSON.stringify([...offsets])
          if (offsets.size > 0 && last.get(group) !== text) {
            this.commits.push({ at: now(), group, offsets })
          }
          last.set(group, text)
        } catch {
          // Its coordinator is gone; the next look may find another.
        }
      }
      await delay(LOOK_EVERY_MS)
    }
  }
}
