import assert from 'node:assert'
import { test } from 'node:test'
import { testBolt } from 'samsa/storm'
import { Count } from '../src/count.ts'

test('counts a word', async () => {
  const bolt = await testBolt(Count)
  await bolt.process({ word: 'cow' })
  const { emitted, acked } = await bolt.process({ word: 'cow' })
  assert.deepEqual(emitted[0]?.values, ['cow', 2])
  assert.deepEqual(acked, ['2'])
})
