import assert from 'node:assert'
import { test } from 'node:test'
import { testBolt } from 'samsa/storm'
import { Parse } from '../src/parse.ts'
import { Sessionize } from '../src/sessionize.ts'

test('clicks that are none go to the stream bad', async () => {
  const bolt = await testBolt(Parse)
  await bolt.process({ value: '{"user":"ann","url":"/","at":1}' })
  const { emitted, acked } = await bolt.process({ value: '{"user":"ann"}' })
  assert.deepEqual(emitted, [
    {
      values: ['{"user":"ann"}', 'no url'],
      stream: 'bad',
      anchors: ['2'],
      id: undefined,
      directTask: undefined,
    },
  ])
  assert.deepEqual(acked, ['2'])
})

test('a session ends when no click comes any more, and acks all of its clicks', async () => {
  const conf = { 'clickstream.gap.ms': 0, 'clickstream.longest.ms': 60_000 }
  const bolt = await testBolt(Sessionize, { conf })
  await bolt.process({ user: 'ann', url: '/b', at: 2 })
  await bolt.process({ user: 'ann', url: '/a', at: 1 })
  const { emitted, acked } = await bolt.tick()
  assert.deepEqual(emitted[0]?.values, ['ann', { user: 'ann', from: 1, to: 2, urls: ['/a', '/b'] }])
  assert.deepEqual(emitted[0]?.anchors, ['1', '2'])
  assert.deepEqual(acked, ['1', '2', '3'])
})
