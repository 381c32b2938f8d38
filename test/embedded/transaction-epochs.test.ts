import { expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'

/** More than the 32,767 epochs of a producer id. */
const TRANSACTIONS = 32_800
const ABORTED_EACH = 10

it('a transactional producer continues with a new producer id after all epochs of the first one', async () => {
  await using kafka = await EmbeddedCluster.start({ topics: { a: {} } })
  await using client = new KafkaClient({ hosts: kafka.hosts })
  await using producer = await client.getTransactionalProducer({ transactionalId: 'tx' })
  const producerId = async () => {
    const [found] = await client.admin.describeTransactions(['tx'])
    return found!.producerId
  }
  const first = await producerId()
  const expected: string[] = []
  for (let i = 0; i < TRANSACTIONS; i++) {
    const tx = await producer.begin()
    const produced = tx.produce('a', String(i))
    if (i % ABORTED_EACH === 0) {
      await produced
      await tx.abort()
    } else {
      await tx.commit()
      expected.push(String(i))
    }
  }
  expect(await producerId()).not.toBe(first)
  await using consumer = await client.topic('a').getSimpleConsumer({
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    stopAtEnd: true,
  })
  const values: string[] = []
  for await (const { value } of consumer) values.push(String(value))
  expect(values).toEqual(expected)
})
