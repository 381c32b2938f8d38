import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import type { ClientCreatedEvent, CommitEvent, HandleTrace } from '../../src/index.ts'
import { Kafka, logLevel, type Consumer } from '../../src/kafkajs/index.ts'
import { until } from '../support/until.ts'

const VALUES = ['a', 'b', 'c']

let cluster: EmbeddedCluster
let consumer: Consumer
let clients: ClientCreatedEvent[]

const onClient = (event: unknown): void => {
  clients.push(event as ClientCreatedEvent)
}

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
  await using client = new KafkaClient({ hosts: cluster.hosts })
  await using producer = await client.topic('t').getProducer()
  await producer.produceMany(VALUES.map((value) => ({ value })))
  clients = []
  subscribe('samsa:client', onClient)
  const app = new Kafka({
    brokers: [cluster.hosts],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 10 },
  })
  consumer = app.consumer({ groupId: 'g' })
  await consumer.subscribe({ topics: ['t'], fromBeginning: true })
})

afterEach(async () => {
  unsubscribe('samsa:client', onClient)
  await consumer.disconnect()
  await cluster.stop()
})

/** The value of a counter, or the number of values of a histogram, of the consumer's client. */
function counted(name: string): number | undefined {
  const metric = clients[0]!.metrics().metrics.find((one) => one.name === name)
  if (metric?.kind === 'histogram') return metric.samples[0]?.count
  return metric?.samples[0]?.value
}

describe("samsa's metrics, traces and channels", () => {
  it('have each message of eachMessage, and each commit', async () => {
    const commits: CommitEvent[] = []
    const onCommit = (event: unknown) => void commits.push(event as CommitEvent)
    const traced: string[] = []
    const onStart = (event: unknown): void => {
      const { message, attempt } = event as HandleTrace
      traced.push(`start ${message.offset} ${attempt}`)
    }
    const onError = (event: unknown): void => {
      traced.push(`error ${(event as HandleTrace).message.offset}`)
    }
    subscribe('samsa:commit', onCommit)
    subscribe('tracing:samsa:handle:start', onStart)
    subscribe('tracing:samsa:handle:error', onError)
    try {
      let isFailing = true
      await consumer.run({
        eachMessage: ({ message }) => {
          if (message.offset !== '1' || !isFailing) return Promise.resolve()
          isFailing = false
          return Promise.reject(new Error('not yet'))
        },
      })
      await until(() => commits.some(({ offsets }) => offsets[0]?.offset === 3))
    } finally {
      unsubscribe('samsa:commit', onCommit)
      unsubscribe('tracing:samsa:handle:start', onStart)
      unsubscribe('tracing:samsa:handle:error', onError)
    }
    expect(traced).toEqual(['start 0 1', 'start 1 1', 'error 1', 'start 1 2', 'start 2 1'])
    expect(commits.map(({ group, offsets }) => [group, offsets])).toEqual([
      ['g', [{ topic: 't', partition: 0, offset: 1 }]],
      ['g', [{ topic: 't', partition: 0, offset: 3 }]],
    ])
    expect(counted('samsa_consumer_handler_duration_seconds')).toBe(4)
    expect(counted('samsa_consumer_handler_failures_total')).toBe(1)
    expect(counted('samsa_consumer_commit_duration_seconds')).toBe(2)
    expect(counted('samsa_consumer_commit_failures_total')).toBe(0)
  })

  it('count the messages of eachBatch, a batch that fails, and a commit that fails', async () => {
    const refused = cluster.faults.on(
      { api: 'OffsetCommit', times: 1 },
      { error: 'GROUP_AUTHORIZATION_FAILED' },
    )
    let calls = 0
    let isDone = false
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        if (++calls === 1) throw new Error('not yet')
        const commit = { topic: 't', partition: 0, offset: batch.lastOffset() }
        await consumer.commitOffsets([commit]).catch(() => undefined)
        isDone = true
      },
    })
    await until(() => isDone && counted('samsa_consumer_handler_duration_seconds') === 6)
    expect(refused.hits).toBe(1)
    expect(counted('samsa_consumer_handler_failures_total')).toBe(1)
    expect(counted('samsa_consumer_commit_failures_total')).toBe(1)
  })
})
