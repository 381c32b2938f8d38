import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type TransactionalProducer } from '../../src/index.ts'
import { readCommitted } from './support/read-committed.ts'
import { GROUP } from './support/transaction-scene.ts'

describe('a transactional producer that is misused', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient
  let producer: TransactionalProducer

  beforeEach(async () => {
    kafka = await EmbeddedCluster.start({ topics: { a: {} } })
    client = new KafkaClient({ hosts: kafka.hosts })
    producer = await client.getTransactionalProducer({ transactionalId: 'tx' })
  })
  afterEach(async () => {
    await client.close().catch(() => undefined)
    await kafka.stop()
  })

  it('refuses to begin a second transaction, also concurrently', async () => {
    const [first, second] = await Promise.allSettled([producer.begin(), producer.begin()])
    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({ reason: { code: 'TRANSACTION_IN_PROGRESS', recovery: 'abort' } })
    await expect(producer.begin()).rejects.toMatchObject({ code: 'TRANSACTION_IN_PROGRESS' })
  })

  it('rejects calls after the end of a transaction', async () => {
    const tx = await producer.begin()
    await tx.abort()
    const ended = { code: 'TRANSACTION_ENDED', recovery: 'abort' }
    await expect(tx.produce('a', 'x')).rejects.toMatchObject(ended)
    await expect(tx.produceMany([])).rejects.toMatchObject(ended)
    await expect(tx.commit()).rejects.toMatchObject(ended)
    await expect(tx.abort()).rejects.toMatchObject(ended)
    await expect(tx.sendOffsets({ offsets: [], group: GROUP })).rejects.toMatchObject(ended)
    // What was refused has no effect on the next one.
    await producer.transaction((next) => void next.produce('a', 'y'))
  })

  it('commits a transaction although a message was produced through one that had ended', async () => {
    const aborted = await producer.begin()
    await aborted.abort()
    const tx = await producer.begin()
    await tx.produce('a', 'committed')
    const late = aborted.produce('a', 'late')
    await tx.commit()
    await expect(late).rejects.toMatchObject({ code: 'TRANSACTION_ENDED' })
    expect(await readCommitted(kafka, 'a')).toEqual(['committed'])
  })

  it('refuses to produce outside a transaction', async () => {
    await expect(producer.produce()).rejects.toMatchObject({ code: 'NO_TRANSACTION' })
  })

  it('cannot commit after a message was rejected before it was queued', async () => {
    const tx = await producer.begin()
    await tx.produce('a', 'small')
    const large = tx.produce('a', 'x'.repeat(2_000_000))
    await expect(large).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    await expect(tx.commit()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await tx.abort()
    await producer.transaction((next) => void next.produce('a', 'next'))
  })

  it('rejects offsets of a member that the group does not have, and can then only abort', async () => {
    const tx = await producer.begin()
    const group = { groupId: 'g', generationId: 3, memberId: 'gone', groupInstanceId: undefined }
    const offsets = [{ topic: 'a', partition: 0, offset: 1 }]
    await expect(tx.sendOffsets({ offsets, group })).rejects.toMatchObject({
      code: 'ILLEGAL_GENERATION',
    })
    await expect(tx.produce('a', 'x')).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await expect(tx.commit()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
    await tx.abort()
    expect(JSON.stringify(await client.admin.listGroupOffsets(['g']))).not.toContain('"offset":1')
  })

  it('names what is wrong with options and arguments', async () => {
    const open = (options: object) =>
      client.getTransactionalProducer(options as { transactionalId: string })
    for (const options of [
      {},
      { transactionalId: '' },
      { transactionalId: 'x', transactionTimeoutMs: 0 },
      { transactionalId: 'x', idempotent: false },
      { transactionalId: 'x', requiredAcks: 1 },
      { transactionalId: 'x', transactionTimeout: 5 },
    ]) {
      await expect(open(options)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    const tooLong = open({ transactionalId: 'x', transactionTimeoutMs: 900_001 })
    await expect(tooLong).rejects.toMatchObject({
      code: 'INVALID_TRANSACTION_TIMEOUT',
      recovery: 'fix-configuration',
    })
    const tx = await producer.begin()
    const wrong = tx.sendOffsets({} as never)
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await tx.commit()
  })

  it.each(['0.8.2', '0.10'] as const)(
    'rejects Kafka %s, which has no transactions',
    async (version) => {
      await using older = await EmbeddedCluster.start({ version })
      await using other = new KafkaClient({ hosts: older.hosts })
      const opening = other.getTransactionalProducer({ transactionalId: 'x' })
      await expect(opening).rejects.toMatchObject({
        code: 'UNSUPPORTED_VERSION',
        recovery: 'fix-configuration',
      })
    },
  )

  it('aborts the open transaction when the client is closed', async () => {
    const tx = await producer.begin()
    await tx.produce('a', 'open')
    await client.close()
    // Without the abort there would be no end: the last stable offset would stay before the message.
    expect(await readCommitted(kafka, 'a')).toEqual([])
    await expect(tx.commit()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
