import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { KafkaClient, type ConsumedMessage } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { clientJars } from '../wire/support/jars.ts'
import { runJava } from '../wire/support/run-java.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

describeWithBrokers('messages that the Java client writes', ['java'], () => {
  let kafka: KafkaCluster
  let client: KafkaClient

  beforeAll(async () => {
    // The cleaner runs often, and cleans all segments but the last.
    const config = {
      'log.cleaner.backoff.ms': '100',
      'log.cleaner.min.cleanable.ratio': '0.001',
      'log.roll.ms': '100',
    }
    kafka = await startKafka({ version: NEWEST_KAFKA, config })
    client = new KafkaClient({ hosts: kafka.hosts })
  })
  afterAll(async () => {
    await client.close()
    await kafka.stop()
  })

  const java = async (program: string, ...lines: readonly (string | number)[]) => {
    const input = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    const output = await runJava(
      `test/kafka/java/${program}.java`,
      await clientJars('4.4.0'),
      input,
    )
    return output.toString().split('\n').slice(0, -1)
  }

  const describeMessage = ({ partition, offset, value }: ConsumedMessage) =>
    `${partition} ${offset} ${String(value)}`

  it('in transactions are read with read_committed only if committed, however little a fetch returns', async () => {
    const seed = Date.now()
    console.log(`seed ${seed}`)
    await kafka.createTopic('transactions', { partitions: 2 })
    const committed = await java('Transactions', kafka.hosts, 'transactions', seed)
    expect(committed.length).toBeGreaterThan(150)
    const topic = client.topic('transactions')
    for (const fetchMessageMaxBytes of [1024 * 1024, 5_000]) {
      await using consumer = await topic.getSimpleConsumer({
        isolationLevel: 'read_committed',
        stopAtEnd: true,
        fetchMessageMaxBytes,
      })
      const read: string[] = []
      const last = [-1, -1]
      for await (const message of consumer) {
        expect(message.offset).toBeGreaterThan(last[message.partition]!)
        last[message.partition] = message.offset
        read.push(describeMessage(message))
      }
      expect(read.sort()).toEqual([...committed].sort())
    }
    await using all = await topic.getSimpleConsumer({ stopAtEnd: true })
    const uncommitted = new Set<string>()
    for await (const message of all) uncommitted.add(describeMessage(message))
    expect(uncommitted.size).toBeGreaterThan(committed.length + 1_000)
  })

  it('are read unchanged with each codec, keys, nulls and headers included', async () => {
    const count = 500
    await kafka.createTopic('codecs')
    await java('Codecs', kafka.hosts, 'codecs', count)
    await using consumer = await client.topic('codecs').getSimpleConsumer({ stopAtEnd: true })
    let n = 0
    for await (const message of consumer) {
      const codec = CODECS[Math.floor(n / count)]!
      const i = n % count
      expect({
        offset: message.offset,
        timestamp: message.timestamp,
        key: message.key?.toString() ?? null,
        value: message.value?.toString() ?? null,
        headers: message.headers.map(({ key, value }) => [key, value?.toString() ?? null]),
      }).toEqual({
        offset: n,
        timestamp: 1_600_000_000_000 + i,
        key: i % 5 === 0 ? null : `key ${i}`,
        value: i % 7 === 0 ? null : `${codec} ${i}${' word'.repeat(i % 50)}`,
        headers: [
          ['codec', codec],
          ['n', String(i)],
          ['n', null],
        ],
      })
      n++
    }
    expect(n).toBe(count * CODECS.length)
  })

  it('to a compacted topic are read as the last message of each key, with gaps between offsets', async () => {
    const config = { 'cleanup.policy': 'compact' }
    await kafka.createTopic('compacted', { config })
    const topic = client.topic('compacted')
    await using producer = await topic.getProducer()
    const write = async (round: number) => {
      for (let i = 0; i < 100; i++) void producer.produce(`${round}`, { key: `key ${i}` })
      await producer.flush()
    }
    const read = async () => {
      await using consumer = await topic.getSimpleConsumer({ stopAtEnd: true })
      const messages: ConsumedMessage[] = []
      for await (const message of consumer) messages.push(message)
      expect(consumer.position(0)).toBe((await topic.latestAvailableOffsets()).get(0))
      return messages
    }
    let round = 0
    let messages: ConsumedMessage[]
    // Until the cleaner has been there: each write closes the segment before it.
    do {
      await write(round++)
      messages = await read()
    } while (messages.length === round * 100 && round < 300)
    expect(messages.length).toBeLessThan(round * 100)
    const offsets = messages.map(({ offset }) => offset)
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
    const latest = new Map(messages.map(({ key, value }) => [String(key), String(value)]))
    expect(latest.size).toBe(100)
    expect(new Set(latest.values())).toEqual(new Set([String(round - 1)]))
  })
})
