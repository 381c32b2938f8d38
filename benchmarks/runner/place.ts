import { createTopics } from '../../protocol/apis/create-topics.ts'
import { deleteTopics } from '../../protocol/apis/delete-topics.ts'
import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { TestAuthority } from '../../test/support/certificates.ts'
import { startKafka } from '../../test/support/kafka/cluster.ts'
import { secureSettings } from '../../test/support/kafka/secure.ts'
import { waitFor } from '../../test/support/kafka/wait.ts'
import { requestOnce } from '../../test/support/request-once.ts'

/** Brokers to measure against. */
export interface Place extends AsyncDisposable {
  readonly hosts: string
  readonly version: string
  /** Where they listen for TLS, and who has signed their certificate. */
  readonly tls?: { readonly hosts: string; readonly caFile: string }
  /** It was there before, and is there afterwards: nothing of ours may be left in it. */
  readonly isGiven?: true
  /** It serves the last batch of a partition again and again: one fills it. */
  readonly isNull?: true
}

/** How long a broker keeps the files of a topic that was deleted: little, the disk is not what is measured. */
const DELETE_DELAY_MS = '1000'

export interface BrokerOptions {
  readonly version: string
  readonly withTls: boolean
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

/** A broker of our own, as Kafka is configured by default, and stopped at the end. */
export async function startBroker({ version, withTls, ...options }: BrokerOptions): Promise<Place> {
  const authority = withTls ? new TestAuthority() : undefined
  const { config = {}, ...secure } =
    authority === undefined ? {} : secureSettings({ version, listeners: ['SSL'], authority })
  try {
    const kafka = await startKafka({
      version,
      // The quick start of the tests is slower afterwards.
      fastStart: false,
      jvmArguments: ['-Xmx1g'],
      ...secure,
      config: { ...config, 'log.segment.delete.delay.ms': DELETE_DELAY_MS },
      ...options,
    })
    return {
      hosts: kafka.hosts,
      version,
      ...(authority === undefined
        ? {}
        : { tls: { hosts: kafka.secureHosts('SSL'), caFile: authority.certFile } }),
      async [Symbol.asyncDispose]() {
        await kafka.stop()
        authority?.[Symbol.dispose]()
      },
    }
  } catch (error) {
    authority?.[Symbol.dispose]()
    throw error
  }
}

/** Brokers that run already. */
export function existingBrokers(hosts: string): Place {
  return {
    hosts,
    version: 'given by --brokers',
    isGiven: true,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

export interface NewTopic {
  readonly partitions: number
  readonly maxMessageBytes?: number
}

const TIMEOUT_MS = 60_000

/** Returns when all its partitions can be used: clients that are measured are not to wait for that. */
export async function createTopic(
  { hosts }: Place,
  name: string,
  { partitions, maxMessageBytes }: NewTopic,
): Promise<void> {
  const configs =
    maxMessageBytes === undefined
      ? []
      : [{ name: 'max.message.bytes', value: String(maxMessageBytes) }]
  const answer = await requestOnce(hosts, createTopics, {
    topics: [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs }],
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  const { errorCode, errorMessage } = answer.topics[0]!
  if (errorCode !== 0)
    throw new Error(`Topic ${name} cannot be created: ${errorCode} ${errorMessage}`)
  await waitFor(async () => ((await isUsable(hosts, name, partitions)) ? true : undefined), {
    timeoutMs: TIMEOUT_MS,
    onTimeout: () => new Error(`Topic ${name} got no leaders`),
  })
}

async function isUsable(hosts: string, name: string, partitions: number): Promise<boolean> {
  const { brokers, topics } = await requestOnce(hosts, metadata, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
  })
  const led = topics[0]!.partitions.filter(({ leaderId }) => leaderId >= 0)
  if (led.length < partitions) return false
  // Leaders are known before they themselves know. Of several brokers that can't be asked of one.
  return brokers.length > 1 || (await leads(hosts, name, partitions))
}

async function leads(hosts: string, name: string, partitions: number): Promise<boolean> {
  const answer = await requestOnce(hosts, listOffsets, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name,
        partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
          partitionIndex,
          timestamp: -1n,
        })),
      },
    ],
  })
  return answer.topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
}

export async function deleteTopic({ hosts }: Place, name: string): Promise<void> {
  await requestOnce(hosts, deleteTopics, (version) => ({
    ...(version >= 6 ? { topics: [{ name }] } : { topicNames: [name] }),
    timeoutMs: TIMEOUT_MS,
  }))
}
