import { produce } from '../../../protocol/apis/produce.ts'
import { abortable } from '../../async/abortable.ts'
import type { Deadline } from '../../async/deadline.ts'
import { limited } from '../../async/limited.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { UnsupportedVersionError } from '../../errors.ts'
import type { SealOptions } from '../sender/seal.ts'
import { formatOf, ZSTD_FROM } from '../sender/seal.ts'

/** What the brokers' Kafka is too old for: then a message that wants it is refused before it is queued. */
export class BrokerLimits {
  readonly #version: number
  readonly #broker: string

  constructor(produceVersion: number, broker: string) {
    this.#version = produceVersion
    this.#broker = broker
  }

  check({ compression }: SealOptions): void {
    if (compression === 'zstd' && this.#version < ZSTD_FROM) throw this.#lacks('zstd', '2.1')
  }

  checkHeaders(): void {
    if (formatOf(this.#version) < 2) throw this.#lacks('headers', '0.11')
  }

  checkTimestamps(): void {
    if (formatOf(this.#version) < 1) throw this.#lacks('timestamps', '0.10')
  }

  #lacks(what: string, since: string): UnsupportedVersionError {
    return new UnsupportedVersionError(
      `${this.#broker} does not take ${what}: that needs Kafka ${since} or newer`,
      { broker: this.#broker },
    )
  }
}

/** As the leader of the topic's first partition has them; undefined where it can't be reached now. */
export async function learnLimits(
  cluster: Cluster,
  topic: string,
  { remainingMs, signal }: Deadline,
): Promise<BrokerLimits | undefined> {
  const leader = cluster.leaderOf(topic, 0)
  if (leader === undefined) return undefined
  try {
    const versions = await limited(remainingMs, signal, (limit) =>
      abortable(leader.versions('produce'), limit),
    )
    return new BrokerLimits(versions.pick(produce), leader.name)
  } catch {
    signal?.throwIfAborted()
    // Sending tries again, and tells what is wrong.
    return undefined
  }
}
