import { createTopics } from '../../protocol/apis/create-topics.ts'
import { deleteTopics } from '../../protocol/apis/delete-topics.ts'
import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { waitFor } from '../../test/support/kafka/wait.ts'
import { requestOnce } from '../../test/support/request-once.ts'

export interface NewTopic {
  readonly partitions: number
  readonly maxMessageBytes?: number
}

const TIMEOUT_MS = 60_000

/** Makes them all at once, and returns when they can be used: clients that are measured are not to wait for that. */
export async function makeTopics(
  hosts: string,
  names: readonly string[],
  { partitions, maxMessageBytes }: NewTopic,
): Promise<void> {
  const configs =
    maxMessageBytes === undefined
      ? []
      : [{ name: 'max.message.bytes', value: String(maxMessageBytes) }]
  const answer = await requestOnce(await controllerOf(hosts), createTopics, {
    topics: names.map((name) => ({
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      assignments: [],
      configs,
    })),
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  const failed = answer.topics.find(({ errorCode }) => errorCode !== 0)
  if (failed !== undefined) {
    const { name, errorCode, errorMessage } = failed
    throw new Error(`Topic ${name} cannot be created: ${errorCode} ${errorMessage}`)
  }
  for (const name of names) {
    await waitFor(async () => ((await isUsable(hosts, name, partitions)) ? true : undefined), {
      timeoutMs: TIMEOUT_MS,
      onTimeout: () => new Error(`Topic ${name} got no leaders`),
    })
  }
}

export async function dropTopics(hosts: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  await requestOnce(await controllerOf(hosts), deleteTopics, (version) => ({
    ...(version >= 6 ? { topics: names.map((name) => ({ name })) } : { topicNames: [...names] }),
    timeoutMs: TIMEOUT_MS,
  }))
}

/** Where each partition's leader listens, as host:port, or undefined while it has none. */
export async function leadersOf(
  hosts: string,
  name: string,
): Promise<readonly (string | undefined)[]> {
  const { brokers, topics } = await requestOnce(hosts, metadata, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
  })
  const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]))
  return topics[0]!.partitions
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ leaderId }) => addresses.get(leaderId))
}

/** Before KRaft only the controller makes and deletes topics; now any broker passes it on. */
async function controllerOf(hosts: string): Promise<string> {
  const { brokers, controllerId } = await requestOnce(hosts, metadata, { topics: [] })
  const controller = brokers.find(({ nodeId }) => nodeId === controllerId)
  return controller === undefined ? hosts : `${controller.host}:${controller.port}`
}

/** Leaders are known before they themselves know, so each is asked. */
async function isUsable(hosts: string, name: string, partitions: number): Promise<boolean> {
  const leaders = await leadersOf(hosts, name)
  const led = new Map<string, number[]>()
  for (const [partition, leader] of leaders.entries()) {
    if (leader === undefined) return false
    led.set(leader, [...(led.get(leader) ?? []), partition])
  }
  if (leaders.length < partitions) return false
  const answers = [...led].map(([leader, its]) => leads(leader, name, its))
  return (await Promise.all(answers)).every(Boolean)
}

async function leads(host: string, name: string, partitions: readonly number[]): Promise<boolean> {
  const answer = await requestOnce(host, listOffsets, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [
      {
        name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: -1n })),
      },
    ],
  })
  return answer.topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
}
