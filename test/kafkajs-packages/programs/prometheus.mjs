/** Metrics of a Prometheus exporter for kafkajs, which is made of events only. */
import * as exporter from '@christiangalsterer/kafkajs-prometheus-exporter'
import { Registry } from 'prom-client'
import { countdown, createTopics, newKafka, report, sorted, unique } from './world.mjs'

const topic = unique('measured')
await createTopics([{ topic, numPartitions: 1 }])
const kafka = newKafka()
const register = new Registry()
const options = { defaultLabels: { app: 'shop' } }
const producer = kafka.producer()
const consumer = kafka.consumer({
  groupId: unique('group'),
  maxWaitTimeInMs: 50,
  heartbeatInterval: 100,
})
const admin = kafka.admin()
exporter.monitorKafkaJSProducer(producer, register, options)
exporter.monitorKafkaJSConsumer(consumer, register, options)
exporter.monitorKafkaJSAdmin(admin, register, options)

await admin.connect()
await producer.connect()
await producer.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}` })) })
const { done, count } = countdown(10)
const { done: beating, count: beat } = countdown(2)
consumer.on(consumer.events.HEARTBEAT, beat)
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({ eachMessage: async () => count() })
await done
await beating
await admin.listTopics()
await consumer.disconnect()
await producer.disconnect()
await admin.disconnect()

const metrics = await register.getMetricsAsJSON()
/** What does not depend on time, and on how many requests a library sends. */
const EXACT = /connection_(count|creation_total|close_total)|crashed|batch_size/
const described = metrics.map(({ name, type, values }) => ({
  name,
  type,
  labels: sorted(new Set(values.flatMap(({ labels }) => Object.keys(labels)))),
  values: EXACT.test(name)
    ? values.map(({ value }) => value)
    : values.some(({ value }) => value > 0),
}))
report(sorted(described.map((one) => JSON.stringify(one))))
