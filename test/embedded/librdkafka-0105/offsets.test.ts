/** Offsets in transactions: cases of librdkafka's test 0105. */
import { describe, expect, it } from '@jest/globals'
import type { ErrorName } from '../../../protocol/errors.ts'
import { KafkaClient } from '../../../src/index.ts'
import { codeOf } from '../../support/settled.ts'
import { GENERATIONS, OFFSETS, offsetsOf, setUp } from '../support/librdkafka-0105.ts'
import { GROUP } from '../support/transaction-scene.ts'

describe.each(GENERATIONS)("librdkafka's test 0105, %s", (name, options) => {
  const isFirst = name === 'Kafka 3.9'

  it('send_offsets_concurrent_is_retried: offsets are sent again after CONCURRENT_TRANSACTIONS', async () => {
    await using setup = await setUp(options)
    const tx = await setup.producer.begin()
    await tx.produce('a', '1')
    const api = isFirst ? 'AddOffsetsToTxn' : 'TxnOffsetCommit'
    setup.answer(api, ...Array<ErrorName>(5).fill('CONCURRENT_TRANSACTIONS'))
    await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    await tx.commit()
    expect(await offsetsOf(setup)).toContain('"offset":12')
  })

  it('send_offsets_non_eligible: an empty list of offsets sends no request', async () => {
    await using setup = await setUp(options)
    const tx = await setup.producer.begin()
    await tx.sendOffsets({ offsets: [], group: GROUP })
    await tx.commit()
    const requests = setup.kafka.requests.all()
    expect(requests.map(({ api }) => api)).not.toContain('TxnOffsetCommit')
    expect(requests.map(({ api }) => api)).not.toContain('EndTxn')
  })

  it('unstable_offset_commit: a client that requires stable offsets waits for the transaction', async () => {
    await using setup = await setUp(options)
    const tx = await setup.producer.begin()
    await tx.produce('a', '1')
    await tx.sendOffsets({ offsets: [{ topic: 'in', partition: 0, offset: 5 }], group: GROUP })
    await using other = new KafkaClient({ hosts: setup.kafka.hosts, retryBackoffMs: 5 })
    const asked = setup.kafka.requests.next({ api: 'OffsetFetch' })
    const opening = other
      .topic('in')
      .getSimpleConsumer({ consumerGroup: GROUP.groupId, partitions: [0] })
    await asked
    await tx.commit()
    await using consumer = await opening
    expect([...consumer.positions.values()]).toEqual([5])
  })

  it.each([true, false])(
    'offset_commit_doesnt_retry_too_quickly: offsets wait between attempts (time is over: %s)',
    async (isOver) => {
      await using setup = await setUp(options)
      const { producer, kafka } = setup
      const tx = await producer.begin()
      await tx.produce('a', '1')
      const times = isOver ? {} : { times: 4 }
      kafka.faults.on({ api: 'TxnOffsetCommit', ...times }, { error: 'COORDINATOR_NOT_AVAILABLE' })
      const startedAt = performance.now()
      const timeoutMs = isOver ? 500 : 60_000
      const sent = await codeOf(tx.sendOffsets({ offsets: OFFSETS, group: GROUP }, { timeoutMs }))
      const tookMs = performance.now() - startedAt
      expect(sent).toBe(isOver ? 'COORDINATOR_NOT_AVAILABLE' : undefined)
      // Waits of at least 20, 20, 40, 80 ms less their spread.
      const attempts = kafka.requests.all({ api: 'TxnOffsetCommit' }).length
      expect(attempts).toBeLessThan(5 + tookMs / 10)
      if (isOver) await tx.abort()
      else await tx.commit()
    },
  )
})
