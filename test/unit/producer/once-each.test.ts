import { expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { onceEach } from '../../support/chaos/once-each.ts'
import { Proxy } from '../../support/proxy.ts'
import { Random } from '../../wire/support/random.ts'

// test/chaos/producer.test.ts is the long form, on real brokers.
it.each([{}, { batchBytes: 1_000 }, { compression: 'gzip', lingerMs: 2 }] as const)(
  'a producer delivers exactly once and in order through connection failures: %p',
  async (options) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    const random = new Random(seed)
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 4 } } })
    await using proxy = await Proxy.start(Number(kafka.hosts.split(':')[1]))
    const { problems, misbehaviours } = await onceEach({
      proxy,
      hosts: kafka.hosts,
      topic: 't',
      partitions: 4,
      messages: 5_000,
      everyMs: 30,
      random: () => random.below(2 ** 30) / 2 ** 30,
      producer: { ackTimeoutMs: 1_000, ...options },
    })
    expect(problems).toEqual([])
    expect(misbehaviours).toBeGreaterThan(0)
  },
)
