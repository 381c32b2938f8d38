import { describe, expect, it } from '@jest/globals'
import { deferred } from '../../src/async/deferred.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, KafkaError } from '../../src/index.ts'
import { PATIENCE_MS } from '../support/patience.ts'

/** Values that callers without TypeScript may pass, by mistake or out of another client's request. */
const GARBAGE: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  NaN,
  2 ** 64,
  10n,
  '',
  'text',
  Symbol('s'),
  [],
  [null],
  [{}],
  {},
  { unknown: 1 },
  { timeoutMs: -1 },
  { signal: 'x' },
  { topics: [{}] },
  new Map([[{}, 'x']]),
  new Date(NaN),
  () => 1,
  Object.create(null),
]

/** A call that was accepted may wait for something for long: only what it throws at once is looked at. */
const LONGEST_CALL_MS = 200

/** Calls a method by name, as JavaScript does. */
async function call(target: object, name: string, ...args: unknown[]): Promise<unknown> {
  const method: unknown = Reflect.get(target, name)
  if (typeof method !== 'function') throw new Error(`there is no method '${name}'`)
  const calling = Promise.resolve(Reflect.apply(method, target, args))
  calling.catch(() => undefined)
  const over = deferred<undefined>()
  const timer = setTimeout(() => over.resolve(undefined), LONGEST_CALL_MS)
  try {
    return await Promise.race([calling, over.promise])
  } finally {
    clearTimeout(timer)
  }
}

describe('a method with arguments of any kind', () => {
  it('throws nothing but a KafkaError with a code', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts, operationTimeoutMs: 500 })
    // What is set up for the test may take longer.
    const patiently = { timeoutMs: PATIENCE_MS }
    const topic = client.topic('t')
    const producer = await topic.getProducer({ deliveryTimeoutMs: 500 }, patiently)
    const many = await client.getProducer({ deliveryTimeoutMs: 500 }, patiently)
    const consumer = await topic.getSimpleConsumer(
      { consumerGroup: 'g', consumerTimeoutMs: 10 },
      patiently,
    )
    const wrong: string[] = []
    const targets: readonly (readonly [string, object, readonly string[]])[] = [
      ['client', client, ['topic', 'getProducer', 'getConsumer', 'request']],
      [
        'topic',
        topic,
        ['partitions', 'latestAvailableOffsets', 'earliestAvailableOffsets', 'fetchOffsets'],
      ],
      ['topic', topic, ['getProducer', 'getSyncProducer', 'getSimpleConsumer']],
      ['producer', producer, ['produce', 'produceMany', 'flush', 'ready', 'writable']],
      ['many', many, ['produce', 'produceMany', 'flush', 'ready', 'writable']],
      [
        'consumer',
        consumer,
        ['consume', 'seek', 'pause', 'resume', 'commitOffsets', 'resetOffsets'],
      ],
    ]
    for (const [what, target, methods] of targets) {
      for (const method of methods) {
        if (typeof Reflect.get(target, method) !== 'function') continue
        for (const [index, garbage] of GARBAGE.entries()) {
          for (const args of [[garbage], ['t', garbage]]) {
            try {
              const got = await call(target, method, ...args)
              if (got !== null && typeof got === 'object' && 'close' in got) {
                await call(got, 'close').catch(() => undefined)
              }
            } catch (error) {
              if (error instanceof KafkaError && error.code !== '') continue
              wrong.push(`${what}.${method}(${args.length} × #${index}): ${String(error)}`)
            }
          }
        }
      }
    }
    expect([...new Set(wrong)]).toEqual([])
  })
})
