/**
 * A part of `npm run test:pykafka`: pykafka 2.8.0 and samsa in one group, with members of both coming and going. It is no
 * part of `npm test`.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient, type BalancedConsumer } from '../../../src/index.ts'
import { startKafka, type KafkaCluster } from '../kafka/cluster.ts'
import { guardChild } from '../kafka/watchdog.ts'
import { pythonWithPykafka } from '../pykafka/install.ts'

const TOPIC = 't'
const PARTITIONS = 8
const SETTLE_MS = 40_000

interface Member {
  readonly name: string
  readonly partitions: readonly number[]
  leave(): Promise<unknown>
}

class PykafkaMember implements Member {
  readonly name: string
  partitions: readonly number[] = []
  readonly #child: ChildProcess

  constructor(name: string, kafka: KafkaCluster, read: Set<string>) {
    this.name = name
    this.#child = spawn(
      pythonWithPykafka() ?? 'python3',
      ['test/support/python/balanced_member.py', kafka.hosts, kafka.zookeeperHosts!, TOPIC, 'g'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    guardChild(this.#child)
    createInterface(this.#child.stdout!).on('line', (line) => {
      const event = JSON.parse(line) as { partitions?: number[]; value?: string }
      if (event.partitions !== undefined) this.partitions = event.partitions
      if (event.value !== undefined) read.add(event.value)
    })
  }

  async leave(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
    this.partitions = []
  }
}

class SamsaMember implements Member {
  readonly name: string
  readonly #consumer: BalancedConsumer

  private constructor(name: string, consumer: BalancedConsumer) {
    this.name = name
    this.#consumer = consumer
  }

  static async start(name: string, client: KafkaClient, kafka: KafkaCluster, read: Set<string>) {
    const consumer = await client.topic(TOPIC).getBalancedConsumer({
      consumerGroup: 'g',
      zookeeperHosts: kafka.zookeeperHosts!,
      autoCommitEnable: true,
      rebalanceBackoffMs: 500,
      rebalanceMaxRetries: 20,
      autoStart: false,
    })
    // Not waited for: members of pykafka may take long to released what it is to get.
    consumer
      .start({ timeoutMs: SETTLE_MS })
      .then(() =>
        consumer.run((message) => void read.add(String(message.value)), {
          concurrency: PARTITIONS,
        }),
      )
      .catch((error: unknown) => console.log(`${name} ended: ${String(error)}`))
    return new SamsaMember(name, consumer)
  }

  get partitions(): readonly number[] {
    return this.#consumer.partitions
  }

  leave(): Promise<void> {
    return this.#consumer.close()
  }
}

/** Every partition has one owner, and the counts differ by at most one. */
async function settled(what: string, members: readonly Member[]): Promise<void> {
  const begin = performance.now()
  const shares = () => members.map(({ name, partitions }) => `${name}: ${partitions.join(' ')}`)
  let since = 0
  while (performance.now() - begin < SETTLE_MS) {
    const owned = members.flatMap(({ partitions }) => partitions)
    const sizes = members.map(({ partitions }) => partitions.length)
    const isRight =
      owned.length === PARTITIONS &&
      new Set(owned).size === PARTITIONS &&
      Math.max(...sizes) - Math.min(...sizes) <= 1
    // It stays so: a second without a change.
    since = isRight ? since || performance.now() : 0
    if (since > 0 && performance.now() - since > 1_000) {
      console.log(`${what}: after ${Math.round(since - begin)} ms: ${shares().join(', ')}`)
      return
    }
    await delay(50)
  }
  throw new Error(`${what}: not settled within ${SETTLE_MS} ms: ${shares().join(', ')}`)
}

async function main(): Promise<void> {
  await using kafka = await startKafka({ version: '2.8.2', brokers: 2, onProgress: console.log })
  await kafka.createTopic(TOPIC, { partitions: PARTITIONS, replicationFactor: 2 })
  await using client = new KafkaClient({ hosts: kafka.hosts })
  await using producer = await client.topic(TOPIC).getProducer()
  const read = new Set<string>()
  let produced = 0
  const timer = setInterval(() => void producer.produce(`${produced++}`), 10)
  const samsa = (name: string) => SamsaMember.start(name, client, kafka, read)
  const pykafka = (name: string) => new PykafkaMember(name, kafka, read)

  const [p1, p2] = [pykafka('pykafka 1'), pykafka('pykafka 2')]
  await settled('two of pykafka', [p1, p2])
  const s1 = await samsa('samsa 1')
  await settled('one of samsa joins', [p1, p2, s1])
  const s2 = await samsa('samsa 2')
  await settled('another joins', [p1, p2, s1, s2])
  await p1.leave()
  await settled('one of pykafka leaves', [p2, s1, s2])
  await s1.leave()
  await settled('one of samsa leaves', [p2, s2])
  const p3 = pykafka('pykafka 3')
  await settled('one of pykafka joins', [p2, s2, p3])
  await p2.leave()
  await p3.leave()
  await settled('all of pykafka leave', [s2])
  clearInterval(timer)
  await producer.flush()
  const end = performance.now() + SETTLE_MS
  while (read.size < produced && performance.now() < end) await delay(50)
  console.log(`${read.size} of ${produced} messages were read`)
  if (read.size < produced) process.exitCode = 1
  await s2.leave()
}

void main()
