/**
 * Six processes share 100,000 messages of a share group, of which one in ten fails, while processes are killed. On three
 * brokers with SAMSA_SHARE_BROKERS=3.
 */
import { expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { KafkaClient } from '../../src/index.ts'
import { startKafka } from '../support/kafka/cluster.ts'
import { guardChild } from '../support/kafka/watchdog.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { lagOf, newQueue, writeNumbers } from '../support/share/queue.ts'
import { until } from '../support/until.ts'

const MESSAGES = 100_000
const PARTITIONS = 6
const PROCESSES = 6
const KILLS = 8
const BROKERS = Number(process.env['SAMSA_SHARE_BROKERS'] ?? 1)
const WORKER = resolve('test/support/share/worker.ts')

/** Each message, and the delivery counts that it was seen with. */
class Deliveries {
  readonly finished = new Set<number>()
  readonly counts = new Map<number, number[]>()

  add(line: string): void {
    const [number, count, how] = line.split(' ')
    const counts = this.counts.get(Number(number)) ?? []
    counts.push(Number(count))
    this.counts.set(Number(number), counts)
    if (how === 'ok') this.finished.add(Number(number))
  }
}

describeWithBrokers('a share group on Kafka 4.4.0', ['java'], () => {
  it('finishes each message although handlers fail and processes are killed', async () => {
    await using kafka = await startKafka({
      version: '4.4.0',
      brokers: BROKERS,
      config: { 'group.share.delivery.count.limit': '10' },
    })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const queue = await newQueue(client, PARTITIONS)
    await writeNumbers(client, queue.topic, MESSAGES, { partitions: PARTITIONS })
    const seen = new Deliveries()
    const running = new Set<ChildProcess>()
    const start = () => {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', WORKER, kafka.hosts, queue.topic, queue.group],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      guardChild(child)
      running.add(child)
      child.once('exit', () => running.delete(child))
      createInterface({ input: child.stdout }).on('line', (line) => seen.add(line))
      return child
    }
    const children = Array.from({ length: PROCESSES }, start)
    for (let kill = 0; kill < KILLS; kill++) {
      const least = ((kill + 1) * MESSAGES) / (KILLS + 2)
      await until(() => seen.finished.size >= least)
      const victim = children[kill % PROCESSES]!
      const gone = once(victim, 'exit')
      victim.kill('SIGKILL')
      await gone
      children[kill % PROCESSES] = start()
    }
    await until(async () => (await lagOf(client, queue)) === 0)
    const ends = [...running].map((child) => once(child, 'exit'))
    for (const child of running) child.kill('SIGTERM')
    await Promise.all(ends)
    const missing = Array.from({ length: MESSAGES }, (_, number) => number).filter(
      (number) => !seen.finished.has(number),
    )
    expect(missing).toEqual([])
    // A delivery count is given once: two deliveries with the same count would be two members with one message.
    const repeated = [...seen.counts].filter(([, counts]) => new Set(counts).size < counts.length)
    expect(repeated).toEqual([])
  })
})
