import { expect } from '@jest/globals'
import { EmbeddedCluster, type Faults } from '../../../../src/embedded/index.ts'
import { KafkaClient, KafkaError, type BalancedConsumer } from '../../../../src/index.ts'
import { until } from '../../../support/until.ts'
import type { Operation, Place } from './operation.ts'

/** What a client was answered: a result, or the code of the error. */
export interface Answer {
  readonly ok?: unknown
  readonly error?: string
}

/** Where the embedded cluster differs from a real one, and why it may. */
const DIFFERENT: Readonly<Record<string, string>> = {
  describeFeatures: 'it has the features that change how it responds, and no others',
  describeMetadataQuorum:
    'its brokers are the voters; the real cluster has a controller of its own',
  'unregisterController (none)': 'it does not offer UnregisterController',
  listTopics: 'it keeps committed offsets outside of topics',
  'describeConfigs (broker)': 'the real brokers have configs of their own',
  listConfigResources: 'it has no topic of committed offsets',
  describeLogDirs: 'it has one log directory',
  alterReplicaLogDirs: 'it has one log directory',
  describeReplicaLogDirs: 'it has one log directory',
}

/** The embedded cluster that does everything that the real one does. */
export class EmbeddedSide {
  static readonly version = '4.4.0'
  readonly #kafka: EmbeddedCluster
  readonly #client: KafkaClient
  readonly #place: Place
  readonly #owners: readonly string[]
  readonly #members: BalancedConsumer[] = []

  private constructor(kafka: EmbeddedCluster, owners: readonly string[]) {
    this.#kafka = kafka
    this.#owners = owners
    this.#client = new KafkaClient({ hosts: kafka.hosts })
    this.#place = { version: EmbeddedSide.version, folder: '/none', topicIds: new Map() }
  }

  /** With the topics, records and groups that the test gives the real cluster. */
  static async start(owners: readonly string[]): Promise<EmbeddedSide> {
    const kafka = await EmbeddedCluster.start({
      brokers: 3,
      version: '4.4',
      authorizer: { superUsers: ['User:ANONYMOUS'] },
      delegationTokenSecretKey: 'a key for tests',
    })
    const side = new EmbeddedSide(kafka, owners)
    for (const own of owners) side.#members.push(await prepare(side.#client, own))
    return side
  }

  get faults(): Faults {
    return this.#kafka.faults
  }

  /** Does the operation for each owner. Returns the answer to the first. */
  async ask(operation: Operation): Promise<Answer> {
    const { admin } = this.#client
    await operation.before?.(admin, this.#place)
    const answers: Answer[] = []
    for (const own of this.#owners) {
      try {
        answers.push({ ok: await operation.samsa(admin, own, this.#place) })
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        answers.push({ error: error.code })
      }
    }
    const { until: settled } = operation
    if (settled !== undefined && answers[0]!.error === undefined) {
      await until(() => settled(admin))
    }
    return answers[0]!
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()))
    await this.#client.close()
    await this.#kafka.stop()
  }
}

/** A topic with records, and a group with a member. */
export async function prepare(client: KafkaClient, own: string): Promise<BalancedConsumer> {
  await client.admin.createTopics([
    {
      topic: own,
      assignments: [
        [1, 2],
        [2, 3],
        [3, 1],
      ],
    },
  ])
  await using producer = await client.topic(own).getProducer({ idempotent: true })
  for (let i = 0; i < 9; i++) void producer.produce(`${i}`, { partition: i % 3 })
  await producer.flush()
  return await client
    .topic(own)
    .getBalancedConsumer({ consumerGroup: `${own}-live`, managed: true })
}

/** Expects the same answer, or a different one where the embedded cluster is known to differ. */
export function expectLike({ name, java }: Operation, real: Answer, embedded: Answer): void {
  const answers = { real: withoutNames(real), embedded: withoutNames(embedded) }
  if (DIFFERENT[name ?? java] === undefined) expect(answers.embedded).toEqual(answers.real)
  // What is listed as different must be: the list would outlive its reasons.
  else expect(answers.embedded).not.toEqual(answers.real)
}

/** Without what every cluster has of its own: addresses, ids, times. */
export function withoutNames(answer: Answer): unknown {
  const text = JSON.stringify(answer)
    .replaceAll(/127\.0\.0\.1:\d+/g, '<address>')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/"[\w-]{22}"/g, '"<id>"')
    .replaceAll(/\b\d{13}\b/g, '"<time>"')
    // The producer ids of describeProducers, listTransactions and describeTransactions.
    .replaceAll(/\[\[\d+,0,/g, '[["<producer>",0,')
    .replaceAll(/\[\d+,"Empty"/g, '["<producer>","Empty"')
    .replaceAll(/"Empty",\d+,0,30000/g, '"Empty","<producer>",0,30000')
  return JSON.parse(text)
}
