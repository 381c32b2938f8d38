import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { SparseProject } from '../support/storm/sparse.ts'
import { StormCluster } from '../support/storm/storm-cluster.ts'

/** `SAMSA_STORM_MESSAGES=1000000` is the long form. */
const MESSAGES = Number(process.env['SAMSA_STORM_MESSAGES'] ?? 20_000)
const TIMEOUT_MS = 600_000 + MESSAGES * 3
const PARTITIONS = 4

/** The topology that reads from `in` and writes to `out`, as a project has it. */
function topology(): string {
  const source = readFileSync('test/apache-storm/topologies/kafka.ts', 'utf8')
  return source.replace('../../../src/storm/index.ts', 'samsa/storm')
}

describeWithStorm('a topology between topics of a real Kafka, on Storm as a cluster', () => {
  let kafka: KafkaCluster | undefined
  let storm: StormCluster | undefined
  let project: SparseProject | undefined

  beforeAll(async () => {
    kafka = await startKafka({ version: NEWEST_KAFKA, fastStart: false })
    storm = await StormCluster.start({ workerHeapMb: 384 })
    project = new SparseProject({
      'config.json': JSON.stringify({ envs: { prod: { nimbus: storm.nimbus } } }),
      'topologies/kafka.ts': topology(),
    })
    await kafka.createTopic('in', { partitions: PARTITIONS })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await using producer = await client.topic('in').getProducer({ compression: 'lz4' })
    for (let n = 0; n < MESSAGES; n++) {
      void producer.produce(`${n}`, { key: `${n}`, partition: n % PARTITIONS })
      if (!producer.hasRoom) await producer.ready()
    }
    await producer.flush()
  }, TIMEOUT_MS)

  afterAll(async () => {
    project?.[Symbol.dispose]()
    await storm?.[Symbol.asyncDispose]()
    await kafka?.stop()
  }, TIMEOUT_MS)

  /** Runs the topology with a group and a topic of its own until all is committed; how often each message came. */
  async function delivered(
    name: string,
    disturb: (counts: Uint8Array) => void,
  ): Promise<Uint8Array> {
    const { hosts } = kafka!
    await kafka!.createTopic(name, { partitions: 1 })
    await project!.output([
      ...['submit', '-n', 'kafka', '-N', name, '-w', '1'],
      ...['-o', `test.hosts=${hosts}`, '-o', `test.group=${name}`, '-o', `test.out=${name}`],
    ])
    const startedAt = performance.now()
    await using client = new KafkaClient({ hosts })
    await using consumer = await client.topic(name).getSimpleConsumer()
    const counts = new Uint8Array(MESSAGES)
    let different = 0
    const reading = consumer.run(({ value }) => {
      const [, n] = /^parsed (\d+) marked$/.exec(value!.toString())!
      if (counts[Number(n)] === 0) different += 1
      counts[Number(n)]! += 1
    })
    await storm!.until(
      () => {
        disturb(counts)
        return different === MESSAGES
      },
      'each message is delivered',
      TIMEOUT_MS,
    )
    const seconds = (performance.now() - startedAt) / 1_000
    console.log(`${name}: ${MESSAGES} messages in ${seconds.toFixed(1)} s`)
    const committed = async (): Promise<number> => {
      const [group] = await client.admin.listGroupOffsets([name])
      return group!.offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
    }
    await storm!.until(async () => (await committed()) === MESSAGES, 'all are committed')
    await project!.output(['kill', '-n', name, '--wait', '0', '--gone'])
    // What was produced before the workers ended is read before the consumer is closed.
    const { latest } = await latestOf(client, name)
    await storm!.until(
      () => counts.reduce((sum, count) => sum + count, 0) === latest,
      'all is read',
    )
    await consumer.close()
    await reading
    return counts
  }

  it(
    'delivers each message exactly once when no process is killed',
    async () => {
      const counts = await delivered('once', () => undefined)
      expect(counts.every((count) => count === 1)).toBe(true)
    },
    TIMEOUT_MS,
  )

  it(
    'delivers each message at least once when a worker is killed while it runs',
    async () => {
      let killed: number | undefined
      const counts = await delivered('killed', (seen) => {
        if (killed !== undefined) return
        // Between a quarter and the end: of partitions that are read evenly, by one of them.
        if (seen[Math.floor(MESSAGES / 4)] === 0) return
        ;[killed] = storm!.workerJvms()
        process.kill(killed!, 'SIGKILL')
      })
      expect(killed).toBeDefined()
      expect(counts.every((count) => count >= 1)).toBe(true)
    },
    TIMEOUT_MS,
  )
})

async function latestOf(client: KafkaClient, topic: string): Promise<{ readonly latest: number }> {
  const offsets = await client.topic(topic).latestAvailableOffsets()
  return { latest: [...offsets.values()].reduce((sum, offset) => sum + offset, 0) }
}
