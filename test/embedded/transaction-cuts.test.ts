import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type TransactionalProducer } from '../../src/index.ts'
import { cutAfter } from '../support/proxy-faults.ts'
import { Proxy, type Direction } from '../support/proxy.ts'
import { readCommitted } from './support/read-committed.ts'
import { GROUP } from './support/transaction-scene.ts'

const APIS = [
  [2, 'InitProducerId'],
  [2, 'Produce'],
  [2, 'TxnOffsetCommit'],
  [2, 'EndTxn'],
  [1, 'InitProducerId'],
  [1, 'AddPartitionsToTxn'],
  [1, 'Produce'],
  [1, 'AddOffsetsToTxn'],
  [1, 'TxnOffsetCommit'],
  [1, 'EndTxn'],
] as const
const DIRECTIONS: readonly Direction[] = ['request', 'response']
const CASES = APIS.flatMap(([generation, api]) =>
  DIRECTIONS.map((direction) => ({ generation, api, direction })),
)

describe('a transaction whose connection is cut', () => {
  it.each(CASES)(
    'loses and repeats nothing at any byte of a $direction of $api, generation $generation',
    async ({ generation, api, direction }) => {
      await using kafka = await EmbeddedCluster.start({
        topics: { a: {} },
        transactionVersion: generation,
      })
      await using proxy = await Proxy.start(kafka.ports[0]!)
      // A client that has no metadata yet gives up at once where its first connection is lost.
      const client = new KafkaClient({ hosts: proxy.name, retryBackoffMs: 1, waitForCluster: true })
      const open = () => client.getTransactionalProducer({ transactionalId: 'tx' })
      let producer: TransactionalProducer = await open()
      const values: string[] = []
      const write = async (bytes: number) => {
        if (api === 'InitProducerId') producer = await open()
        await producer.transaction(async (tx) => {
          void tx.produce('a', String(bytes))
          const offsets = [{ topic: 'a', partition: 0, offset: bytes }]
          await tx.sendOffsets({ offsets, group: GROUP })
        })
        values.push(String(bytes))
      }
      // Shows how long the frame is.
      await write(0)
      const length = proxy.lengths.get(`${api} ${direction}`)!
      for (let bytes = 0; bytes < length; bytes++) {
        proxy.misbehave(direction, cutAfter(bytes), { api, times: 1 })
        await write(bytes + 1)
        expect(proxy.hasMisbehaved).toBe(true)
        await proxy.behave()
      }
      await client.close().catch(() => undefined)
      await using reading = new KafkaClient({ hosts: kafka.hosts })
      expect(await readCommitted(kafka, 'a')).toEqual(values)
      const [group] = await reading.admin.listGroupOffsets(['g'])
      expect(group!.offsets).toMatchObject([{ offset: length }])
    },
  )
})
