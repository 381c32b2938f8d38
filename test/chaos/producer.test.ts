import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { onceEach } from '../support/chaos/once-each.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { Proxy } from '../support/proxy.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { Random } from '../wire/support/random.ts'

const MESSAGES = 200_000

describeWithBrokers('an idempotent producer behind a misbehaving proxy', ['java'], () => {
  describe.each(['4.4.0', '1.1.1', '0.11.0.3'])('to Kafka %s', (version) => {
    let kafka: KafkaCluster
    let proxy: Proxy
    beforeAll(async () => {
      kafka = await startKafka({ version })
      proxy = await Proxy.start(kafka.ports[0]!)
    })
    afterAll(async () => {
      await proxy[Symbol.asyncDispose]()
      await kafka.stop()
    })

    it.each([
      ['as it is', {}],
      ['with small batches', { batchBytes: 2_000 }],
      ['with batches compressed by another thread', { compression: 'gzip', lingerMs: 3 }],
    ] as const)(
      `delivers ${MESSAGES} messages exactly once and in order, %s`,
      async (what, options) => {
        const seed = Math.floor(Math.random() * 2 ** 31)
        console.log(`Kafka ${version}, ${what}, seed ${seed}`)
        const random = new Random(seed)
        const topic = `once-each-${what.replaceAll(' ', '-')}`
        await kafka.createTopic(topic, { partitions: 4 })
        const { problems, misbehaviours } = await onceEach({
          proxy,
          hosts: kafka.hosts,
          topic,
          partitions: 4,
          messages: MESSAGES,
          everyMs: 20,
          random: () => random.below(2 ** 30) / 2 ** 30,
          producer: { ackTimeoutMs: 1_000, ...options },
        })
        expect(problems).toEqual([])
        expect(misbehaviours).toBeGreaterThan(100)
      },
    )
  })
})
