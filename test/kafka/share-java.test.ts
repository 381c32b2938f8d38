import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { KafkaClient } from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { lagOf, newQueue, numberOf, writeNumbers } from '../support/share/queue.ts'
import { until } from '../support/until.ts'
import { clientJars } from '../wire/support/jars.ts'

describeWithBrokers('a share group of a Java member and a samsa member', ['java'], () => {
  let kafka: KafkaCluster
  let classPath: string

  beforeAll(async () => {
    kafka = await startKafka({ version: '4.4.0' })
    classPath = join(await clientJars('4.4.0'), '*')
  })
  afterAll(() => kafka.stop())

  it('divides messages, and each member receives what the other has released', async () => {
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const queue = await newQueue(client, 4)
    const program = ['test/kafka/java/SharePeer.java', kafka.hosts, queue.topic, queue.group]
    const args = ['-cp', classPath, ...program, 'work']
    const java = spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const finished: number[] = []
    const byJava: [number, number][] = []
    createInterface({ input: java.stdout }).on('line', (line) => {
      const [number, count, how] = line.split(' ')
      byJava.push([Number(number), Number(count)])
      if (how === 'accepted') finished.push(Number(number))
    })
    await using consumer = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
    })
    const byUs: [number, number][] = []
    const running = consumer.run(
      (message) => {
        const number = numberOf(message)
        byUs.push([number, message.deliveryCount])
        if (number % 11 === 0 && message.deliveryCount === 1) throw new Error('release it')
        finished.push(number)
      },
      { concurrency: 5, onHandlerError: () => 'release' },
    )
    const isShared = () => byJava.length > 0 && byUs.length > 0
    let written = 0
    while (!isShared() || written < 2_000) {
      await writeNumbers(client, queue.topic, 1_000, { first: written, partitions: 4 })
      written += 1_000
      await until(async () => (await lagOf(client, queue)) === 0)
    }
    java.stdin.end('end\n')
    await once(java, 'exit')
    await consumer.close()
    await running
    expect(finished.sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, at) => at))
    const counts = [...byJava, ...byUs].map(([number, count]) => `${number} ${count}`)
    expect(new Set(counts).size).toBe(counts.length)
  })
})
