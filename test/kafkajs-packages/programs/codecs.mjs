/** Messages that are compressed by the codec of kafkajs-snappy. */
import kafkajs from 'kafkajs'
import SnappyCodec from 'kafkajs-snappy'
import { countdown, createTopics, newKafka, report, unique } from './world.mjs'

const { CompressionCodecs, CompressionTypes } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec

const topic = unique('compressed')
await createTopics([{ topic, numPartitions: 1 }])
const kafka = newKafka()
const producer = kafka.producer()
await producer.connect()
const values = Array.from({ length: 50 }, (_, i) => `value ${i} `.repeat(20))
const messages = values.map((value, i) => ({ key: String(i), value, headers: { at: String(i) } }))
const [sent] = await producer.send({ topic, compression: CompressionTypes.Snappy, messages })
await producer.disconnect()

const consumer = kafka.consumer({ groupId: unique('group'), maxWaitTimeInMs: 50 })
const found = []
const { done, count } = countdown(values.length)
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({
  eachMessage: async ({ message }) => {
    found.push([
      message.offset,
      String(message.key),
      String(message.value),
      String(message.headers.at),
    ])
    count()
  },
})
await done
await consumer.disconnect()
report({ sent: sent.baseOffset, found, isRegistered: CompressionCodecs[2] === SnappyCodec })
