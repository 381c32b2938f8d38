import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { KafkaClient, type Logger } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

const REFUSED = { error: 'INVALID_RECORD' } as const

let bench: ProducerBench
let unhandled: unknown[]
const note = (error: unknown) => unhandled.push(error)
beforeEach(async () => {
  unhandled = []
  process.on('unhandledRejection', note)
  bench = await ProducerBench.start()
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  process.off('unhandledRejection', note)
})

function recorder() {
  const lines: string[] = []
  const add = (line: string) => {
    lines.push(line)
  }
  return { lines, logger: { debug: () => undefined, info: add, warn: add, error: add } }
}

const aTurn = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('a deliveryReports function', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no report')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('no report'))],
  ])('that %s is logged and changes nothing else', async (_, deliveryReports) => {
    const { lines, logger } = recorder()
    await using client = new KafkaClient({ ...QUICK, hosts: bench.kafka.hosts, logger })
    const producer = await client.topic(TOPIC).getProducer({ deliveryReports })
    expect(await producer.produce('x')).toMatchObject({ offset: 0 })
    await until(() =>
      lines.some((line) => line.includes('deliveryReports function failed: no report')),
    )
    await aTurn()
    expect(unhandled).toEqual([])
  })
})

describe('a logger', () => {
  const broken = () => {
    throw new Error('disk full')
  }
  const rejecting = async () => Promise.reject(new Error('disk full'))

  it.each([
    ['throws', broken],
    ['rejects', rejecting],
    ['is no function', undefined],
  ])('that %s does not affect a producer', async (_, log) => {
    const logger = { debug: log, info: log, warn: log, error: log } as unknown as Logger
    await using client = new KafkaClient({ ...QUICK, hosts: bench.kafka.hosts, logger })
    const producer = await client.topic(TOPIC).getProducer()
    bench.kafka.faults.on({ api: 'Produce', times: 2 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    expect(await producer.produce('x')).toMatchObject({ offset: 0 })
    await aTurn()
    expect(unhandled).toEqual([])
  })
})

describe('messages that fail without an error handler', () => {
  async function failing(produce: (client: KafkaClient) => Promise<unknown>): Promise<string[]> {
    const { lines, logger } = recorder()
    const client = new KafkaClient({ ...QUICK, hosts: bench.kafka.hosts, logger })
    bench.kafka.faults.on({ api: 'Produce' }, REFUSED)
    await produce(client)
    await aTurn()
    await client.close().catch(() => undefined)
    return lines.filter((line) => line.includes('the application did not handle'))
  }

  it('are logged once', async () => {
    const lines = await failing(async (client) => {
      const producer = await client.topic(TOPIC).getProducer()
      for (let i = 0; i < 3; i++) void producer.produce('x')
      await until(() => producer.failedMessages === 3)
    })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(
      '3 messages failed, and the application did not handle their errors; the first: ',
    )
    expect(lines[0]).toContain('INVALID_RECORD')
  })

  it('are not logged if the application awaits them, flushes or reads reports', async () => {
    const lines = await failing(async (client) => {
      const topic = client.topic(TOPIC)
      const producer = await topic.getProducer()
      await failureOf(producer.produce('x'))
      void producer.produce('x')
      await failureOf(producer.flush())
      await failureOf(producer.produceMany(['x', 'y']))
      const reporting = await topic.getProducer({ deliveryReports: () => undefined })
      void reporting.produce('x')
      await until(() => reporting.failedMessages === 1)
    })
    expect(lines).toEqual([])
  })
})
