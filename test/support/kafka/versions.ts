/**
 * The Kafka versions that can be started, and how each differs from the others: this table is the
 * one place that knows.
 */

export interface KafkaVersion {
  readonly version: string
  readonly scala: string
  /** What a current Java no longer brings along but this version needs, and a logger. */
  readonly extraJars: readonly string[]
  /** Up to 3.x the cluster's memory is ZooKeeper; from 4.0 there is only KRaft. */
  readonly coordination: 'zookeeper' | 'kraft'
  /** Up to 1.x the address is also given by `port`, `host.name` and `advertised.*`. */
  readonly namesHostAndPort: boolean
  /** CreateTopics came with 0.10.1 and lost its versions 0 and 1 in 4.0; before, it is znodes. */
  readonly createTopicsVersion: 1 | 2 | undefined
  /** 0.8 reports brokers only once the cluster has a topic. */
  readonly listsBrokersWithoutTopics: boolean
  /** Up to 0.11 log4j 1 comes along; later the starter chooses. */
  readonly logging: 'log4j' | 'slf4j-simple'
}

const JAXB = 'javax.xml.bind:jaxb-api:2.3.1'
const SLF4J_SIMPLE = 'org.slf4j:slf4j-simple:1.7.36'

type Era = Omit<KafkaVersion, 'version' | 'scala'>

const ERA_08: Era = {
  extraJars: [],
  coordination: 'zookeeper',
  namesHostAndPort: true,
  createTopicsVersion: undefined,
  listsBrokersWithoutTopics: false,
  logging: 'log4j',
}
const ERA_09: Era = { ...ERA_08, listsBrokersWithoutTopics: true }
const ERA_010: Era = { ...ERA_09, extraJars: [JAXB], createTopicsVersion: 1 }
const ERA_011: Era = { ...ERA_010, createTopicsVersion: 2 }
const ERA_1: Era = { ...ERA_011, extraJars: [SLF4J_SIMPLE], logging: 'slf4j-simple' }
const ERA_2: Era = { ...ERA_1, namesHostAndPort: false }
const ERA_4: Era = { ...ERA_2, coordination: 'kraft' }

const VERSIONS: readonly KafkaVersion[] = [
  { version: '0.8.2.2', scala: '2.11', ...ERA_08 },
  { version: '0.9.0.1', scala: '2.11', ...ERA_09 },
  { version: '0.10.2.2', scala: '2.12', ...ERA_010 },
  { version: '0.11.0.3', scala: '2.12', ...ERA_011 },
  { version: '1.1.1', scala: '2.12', ...ERA_1 },
  { version: '2.8.2', scala: '2.13', ...ERA_2 },
  { version: '3.5.2', scala: '2.13', ...ERA_2 },
  { version: '3.9.1', scala: '2.13', ...ERA_2 },
  { version: '4.0.0', scala: '2.13', ...ERA_4 },
  { version: '4.1.0', scala: '2.13', ...ERA_4 },
  { version: '4.3.1', scala: '2.13', ...ERA_4 },
  { version: '4.4.0', scala: '2.13', ...ERA_4 },
]

/** Oldest first. */
export const KAFKA_VERSIONS: readonly string[] = VERSIONS.map(({ version }) => version)

export const NEWEST_KAFKA = '4.4.0'

/** ZooKeeper has no download of its own here: the last Kafka that needs it has the newest of it. */
export const ZOOKEEPER_FROM = '3.9.1'

export function kafkaVersion(version: string): KafkaVersion {
  const found = VERSIONS.find((known) => known.version === version)
  if (found === undefined) {
    throw new Error(`Unknown Kafka version "${version}"; known are ${KAFKA_VERSIONS.join(', ')}`)
  }
  return found
}
