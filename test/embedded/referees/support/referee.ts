import type { KafkaVersion } from '../../../../src/embedded/index.ts'
import { KAFKA_VERSIONS } from '../../../../src/embedded/versions/profiles.ts'
import type { Tool } from '../../../support/real-brokers.ts'

/** A cluster, as a client finds it. */
export interface Place {
  readonly hosts: string
  readonly version: KafkaVersion
  /** A time not long ago, for records to have, the same for both clusters. */
  readonly timeMs: number
}

/** What a client saw, by what it was about, in its own words. */
export type Answers = ReadonlyMap<string, string>

/** A client that knows nothing of embedded clusters, and what it does with one. */
export interface Referee {
  readonly name: string
  readonly needs: readonly Tool[]
  /** The oldest Kafka that it works with. */
  readonly since: KafkaVersion
  /** Topics that are there before it comes, and their partitions. */
  readonly topics?: Readonly<Record<string, number>>
  ask(place: Place): Promise<Answers>
  /** What no two clusters have in common, and what to put in its place. */
  readonly unlike?: readonly (readonly [RegExp, string])[]
  /** Answers that differ, and why they may. */
  readonly onPurpose?: readonly OnPurpose[]
}

export interface OnPurpose {
  readonly answer: RegExp
  /** Only from this version on. */
  readonly since?: KafkaVersion
  /** Only in versions older than this. */
  readonly before?: KafkaVersion
  readonly why: string
}

/** `4.4` for 4.4.0: what an embedded cluster presents to be like a real one. */
export function presentedVersion(real: string): KafkaVersion {
  const found = KAFKA_VERSIONS.find((version) => real === version || real.startsWith(`${version}.`))
  if (found === undefined) throw new Error(`Nothing presents itself as Kafka ${real}`)
  return found
}
