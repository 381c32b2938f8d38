import { produce } from '../../../protocol/apis/produce.ts'
import { bounded } from '../../async/bounded.ts'
import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { UnsupportedVersionError, requiresKafka } from '../../errors.ts'
import type { SealOptions } from '../sender/seal.ts'
import { formatOf, ZSTD_FROM } from '../sender/seal.ts'

/** What the brokers' version of Kafka supports. A message that needs more is rejected before it is queued. */
export class BrokerCapabilities {
  readonly #version: number
  readonly #broker: string

  constructor(produceVersion: number, broker: string) {
    this.#version = produceVersion
    this.#broker = broker
  }

  check({ compression }: SealOptions): void {
    if (compression === 'zstd' && this.#version < ZSTD_FROM)
      throw this.#lacks('compression with zstd', '2.1')
  }

  checkHeaders(): void {
    if (formatOf(this.#version) < 2) throw this.#lacks('a message with headers', '0.11')
  }

  checkTimestamps(): void {
    if (formatOf(this.#version) < 1) throw this.#lacks('a message with a timestamp', '0.10')
  }

  #lacks(what: string, since: string): UnsupportedVersionError {
    return requiresKafka(what, since, { broker: this.#broker })
  }
}

/**
 * Returns the capabilities of the leader of partition 0 of the topic; undefined if the leader cannot be reached now.
 */
export async function detectCapabilities(
  cluster: Cluster,
  topic: string,
  { remainingMs, signal }: Deadline,
): Promise<BrokerCapabilities | undefined> {
  const leader = cluster.leaderOf(topic, 0)
  if (leader === undefined) return undefined
  try {
    const versions = await bounded(remainingMs, signal, () => leader.versions('produce'))
    return new BrokerCapabilities(versions.pick(produce), leader.name)
  } catch {
    signal?.throwIfAborted()
    // The sender tries again, and reports the error.
    return undefined
  }
}
