import { afterAll, beforeAll, expect, it } from '@jest/globals'
import {
  AlreadyAcknowledgedError,
  BrokerError,
  KafkaClient,
  type ShareMessage,
} from '../../src/index.ts'
import { builtCommand } from '../support/built.ts'
import { CommandLine } from '../support/cli-cluster.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { expectHarmlessRenewals } from '../support/share/disabled-renewals.ts'
import { lagOf, newQueue, nextOf, numberOf, take, writeNumbers } from '../support/share/queue.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const SHORT_LOCKS = { 'share.record.lock.duration.ms': '1000' }

describeWithBrokers('share consumers on Kafka 4.4.0', ['java'], () => {
  let kafka: KafkaCluster
  let client: KafkaClient

  beforeAll(async () => {
    kafka = await startKafka({
      version: '4.4.0',
      config: {
        'group.share.min.record.lock.duration.ms': '1000',
        'group.share.assignment.interval.ms': '0',
      },
    })
    client = new KafkaClient({ hosts: kafka.hosts })
  })
  afterAll(async () => {
    await client.close()
    await kafka.stop()
  })

  let nextDeadLetters = 0

  /** A queue of one partition whose group copies to a dead letter topic what it does not process (KIP-1191). */
  async function queueWithDeadLetters(configs: Readonly<Record<string, string>> = {}) {
    const deadLetters = `dlq.${process.pid}.${nextDeadLetters++}`
    await client.admin.createTopics([
      {
        topic: deadLetters,
        partitions: 1,
        configs: { 'errors.deadletterqueue.group.enable': 'true' },
      },
    ])
    const queue = await newQueue(client, 1, {
      'errors.deadletterqueue.topic.name': deadLetters,
      'errors.deadletterqueue.copy.record.enable': 'true',
      ...configs,
    })
    return { queue, deadLetters }
  }

  async function firstIn(topic: string): Promise<number | undefined> {
    await using reader = await client
      .topic(topic)
      .getSimpleConsumer({ autoOffsetReset: 'earliest' })
    const message = await reader.consume({ timeoutMs: PATIENCE_MS })
    return message && numberOf(message)
  }

  it('leave their group when the application takes no message for maxPollIntervalMs, and join it again', async () => {
    const queue = await newQueue(client, 2)
    await writeNumbers(client, queue.topic, 20, { partitions: 2 })
    const options = { topics: [queue.topic], shareGroup: queue.group } as const
    await using stuck = await client.getShareConsumer({
      ...options,
      acknowledgementMode: 'explicit',
      maxPollIntervalMs: 2_000,
    })
    const held = await nextOf(stuck)
    await using other = await client.getShareConsumer(options)
    const numbers: number[] = []
    const running = other.run((message) => {
      numbers.push(numberOf(message))
    })
    await until(() => stuck.assignment.length === 0 && other.assignment.length === 2)
    const [group] = await client.admin.describeGroups([queue.group])
    expect(group?.members.map(({ memberId }) => memberId)).toEqual([other.memberId])
    await until(() => numbers.length === 19)
    // The lock of the message that the application still has lasts, although its member has left the group.
    held.accept()
    expect((await stuck.flush()).filter(({ failed }) => failed > 0)).toEqual([])
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(numbers).not.toContain(numberOf(held))

    await expect(stuck.consume()).rejects.toMatchObject({ code: 'MAX_POLL_INTERVAL_EXCEEDED' })
    const next = nextOf(stuck)
    await until(() => stuck.assignment.length > 0)
    await other.close()
    await running
    await writeNumbers(client, queue.topic, 1, { first: 20 })
    const message = await next
    expect(numberOf(message)).toBe(20)
    message.accept()
  })

  it('have rejected messages copied to the dead letter topic of the group (KIP-1191)', async () => {
    const { queue, deadLetters } = await queueWithDeadLetters()
    await writeNumbers(client, queue.topic, 3)
    await using jobs = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
      acknowledgementMode: 'explicit',
    })
    const messages = await take(jobs, 3)
    messages[0]!.accept()
    messages[1]!.reject()
    messages[2]!.accept()
    await jobs.flush()
    expect(await firstIn(deadLetters)).toBe(1)
  })

  it('have messages copied to the dead letter topic that were delivered too often (KIP-1191)', async () => {
    const { queue, deadLetters } = await queueWithDeadLetters({ 'share.delivery.count.limit': '2' })
    await writeNumbers(client, queue.topic, 1)
    await using jobs = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
      acknowledgementMode: 'explicit',
    })
    for (const deliveryCount of [1, 2]) {
      const message = await nextOf(jobs)
      expect(message.deliveryCount).toBe(deliveryCount)
      message.release()
      await jobs.flush()
    }
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(await firstIn(deadLetters)).toBe(0)
  })

  it('lose no message whose lock cannot be renewed because the group has renewals disabled', async () => {
    const queue = await newQueue(client, 1, { 'share.renew.acknowledge.enable': 'false' })
    await writeNumbers(client, queue.topic, 3)
    await using jobs = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
      acknowledgementMode: 'explicit',
    })
    await expectHarmlessRenewals(jobs)
    await until(async () => (await lagOf(client, queue)) === 0)
  })

  it('divide 1,000 messages among themselves, and accept each of them once', async () => {
    const queue = await newQueue(client, 4)
    await writeNumbers(client, queue.topic, 1_000, { partitions: 4 })
    const options = { topics: [queue.topic], shareGroup: queue.group }
    await using one = await client.getShareConsumer(options)
    await using two = await client.getShareConsumer(options)
    const got: number[] = []
    const handle = (message: ShareMessage) => {
      expect(message.deliveryCount).toBe(1)
      got.push(numberOf(message))
    }
    const running = [one, two].map((consumer) => consumer.run(handle, { concurrency: 10 }))
    await until(async () => (await lagOf(client, queue)) === 0)
    const results = [...(await one.flush()), ...(await two.flush())]
    expect(results.map(({ failed, error }) => ({ failed, error }))).toEqual(
      results.map(() => ({ failed: 0, error: undefined })),
    )
    expect(results.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBe(1_000)
    expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, number) => number))
    await Promise.all([one.close(), two.close()])
    await Promise.all(running)
  })

  it('accept a message of a loop when the next one is requested, and release the one in which the loop breaks', async () => {
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 3)
    const options = { topics: [queue.topic], shareGroup: queue.group }
    await using consumer = await client.getShareConsumer(options)
    const got: number[] = []
    for await (const message of consumer) {
      got.push(numberOf(message))
      if (got.length === 2) break
    }
    const results = await consumer.flush()
    expect(results).toEqual([{ topic: queue.topic, partition: 0, acknowledged: 2, failed: 0 }])
    const again: [number, number][] = []
    for await (const message of consumer) {
      again.push([numberOf(message), message.deliveryCount])
      if (again.length < 2) continue
      message.accept()
      break
    }
    expect(got).toEqual([0, 1])
    expect(again.sort()).toEqual([
      [1, 2],
      [2, 1],
    ])
    await consumer.flush()
    await until(async () => (await lagOf(client, queue)) === 0)
  })

  it('receive a released message again with its delivery count, and a rejected one never', async () => {
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 3)
    const options = {
      topics: [queue.topic],
      shareGroup: queue.group,
      acknowledgementMode: 'explicit',
    } as const
    await using consumer = await client.getShareConsumer(options)
    const [first, second, third] = [
      await nextOf(consumer),
      await nextOf(consumer),
      await nextOf(consumer),
    ]
    first.release()
    second.reject()
    third.accept()
    expect(() => third.accept()).toThrow(AlreadyAcknowledgedError)
    expect(() => second.release()).toThrow(/offset 1 is already acknowledged/)
    expect(await consumer.flush()).toEqual([
      { topic: queue.topic, partition: 0, acknowledged: 3, failed: 0 },
    ])
    const again = await nextOf(consumer)
    expect([numberOf(again), again.deliveryCount]).toEqual([0, 2])
    again.accept()
    await consumer.flush()
    expect(await lagOf(client, queue)).toBe(0)
    expect(await consumer.consume({ timeoutMs: 500 })).toBeUndefined()
  })

  it('release a message whose handler fails, and reject it after maxDeliveries', async () => {
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 20)
    await using consumer = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
    })
    const deliveries: number[] = []
    const running = consumer.run(
      async (message) => {
        await Promise.resolve()
        if (numberOf(message) !== 7) return
        deliveries.push(message.deliveryCount)
        throw new Error('poison')
      },
      { concurrency: 5, maxDeliveries: 3 },
    )
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(deliveries).toEqual([1, 2, 3])
    await consumer.close()
    await running
  })

  it('keep a message of a handler that takes longer than the lock', async () => {
    const queue = await newQueue(client, 1, SHORT_LOCKS)
    await writeNumbers(client, queue.topic, 5)
    const options = { topics: [queue.topic], shareGroup: queue.group }
    await using one = await client.getShareConsumer(options)
    await using two = await client.getShareConsumer(options)
    const counts: number[] = []
    const handle = async ({ deliveryCount }: ShareMessage) => {
      counts.push(deliveryCount)
      await new Promise((resolve) => setTimeout(resolve, 2_500))
    }
    const running = [one, two].map((consumer) => consumer.run(handle, { concurrency: 2 }))
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(counts).toEqual([1, 1, 1, 1, 1])
    await Promise.all([one.close(), two.close()])
    await Promise.all(running)
  })

  it('report an acknowledgement that is sent after the lock has expired, and apply the others', async () => {
    const queue = await newQueue(client, 1, SHORT_LOCKS)
    await writeNumbers(client, queue.topic, 4)
    const options = {
      topics: [queue.topic],
      shareGroup: queue.group,
      acknowledgementMode: 'explicit',
      acquireMode: 'record_limit',
      maxRecords: 1,
    } as const
    await using consumer = await client.getShareConsumer(options)
    const late = await nextOf(consumer)
    await using other = await client.getShareConsumer(options)
    const taken: ShareMessage[] = []
    while (taken.length === 0 || taken[taken.length - 1]!.offset !== late.offset) {
      taken.push(await nextOf(other))
    }
    expect(taken[taken.length - 1]!.deliveryCount).toBe(2)
    late.accept()
    const results = await consumer.flush()
    expect(results).toMatchObject([{ acknowledged: 0, failed: 1 }])
    expect(results[0]?.error).toBeInstanceOf(BrokerError)
    expect(results[0]?.error?.code).toBe('INVALID_RECORD_STATE')
    taken[taken.length - 1]!.accept()
    expect(await other.flush()).toMatchObject([{ acknowledged: 1, failed: 0 }])
  })

  it('skip the markers of transactions and messages of aborted ones', async () => {
    const queue = await newQueue(client, 1, { 'share.isolation.level': 'read_committed' })
    await using producer = await client.getTransactionalProducer({ transactionalId: queue.topic })
    for (let number = 0; number < 4; number++) {
      const transaction = await producer.begin()
      void transaction.produce(queue.topic, String(number))
      if (number % 2 === 0) await transaction.commit()
      else await transaction.abort()
    }
    await using consumer = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
    })
    const got: number[] = []
    const running = consumer.run((message) => void got.push(numberOf(message)))
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(got).toEqual([0, 2])
    await consumer.close()
    await running
  })

  it('release their messages to others when they are closed', async () => {
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 10)
    const options = { topics: [queue.topic], shareGroup: queue.group }
    const first = await client.getShareConsumer(options)
    await nextOf(first)
    await using second = await client.getShareConsumer(options)
    await first.close()
    const got: number[] = []
    const running = second.run((message) => void got.push(numberOf(message)), { concurrency: 3 })
    await until(async () => (await lagOf(client, queue)) === 0)
    expect(got.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    await second.close()
    await running
  })

  it('continue with a topic that was deleted and created again', async () => {
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 3)
    await using consumer = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
    })
    const got: number[] = []
    const running = consumer.run((message) => void got.push(numberOf(message)))
    await until(() => got.length === 3)
    await client.admin.deleteTopics([queue.topic])
    await client.admin.createTopics([{ topic: queue.topic, partitions: 1 }])
    await writeNumbers(client, queue.topic, 3, { first: 10 })
    await until(() => got.length === 6)
    expect(got).toEqual([0, 1, 2, 10, 11, 12])
    await consumer.close()
    await running
  })

  it('are refused when a group of another type has the name', async () => {
    const queue = await newQueue(client)
    await using member = await client.getBalancedConsumer({
      topics: [queue.topic],
      consumerGroup: 'classic-group',
      managed: true,
    })
    expect(member).toBeDefined()
    const opening = client.getShareConsumer({ topics: [queue.topic], shareGroup: 'classic-group' })
    await expect(opening).rejects.toThrow(
      /GROUP_ID_NOT_FOUND.*a group of another type has this name/,
    )
  })

  it('read a queue in the command `samsa share`', async () => {
    builtCommand()
    using folder = new TemporaryFolder()
    const samsa = new CommandLine(kafka.hosts, folder.path)
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 3)
    const share = `share ${queue.group} ${queue.topic}`
    expect(await samsa.output(`${share} -n 1 --ack release --delivery-count`)).toBe('1 0\n')
    expect(await samsa.output(`${share} -n 1 --ack reject --delivery-count`)).toBe('2 0\n')
    expect(await samsa.output(`${share} -n 2 -f %o:%s;`)).toBe('1:1;2:2;')
    await until(async () => (await lagOf(client, queue)) === 0)
  })
})
