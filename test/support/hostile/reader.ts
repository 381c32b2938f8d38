/**
 * Reads a topic to its end, in a process of its own with a small heap, and prints what it took:
 *
 *   node --import tsx --max-old-space-size=64 reader.ts HOSTS TOPIC OPTIONS
 */
import { KafkaClient, type SimpleConsumerOptions } from '../../../src/index.ts'

const [hosts = '', topic = '', options = '{}'] = process.argv.slice(2)

await using client = new KafkaClient({ hosts })
const before = process.memoryUsage().rss
let most = before
let count = 0
const consumer = await client.topic(topic).getSimpleConsumer({
  stopAtEnd: true,
  ...(JSON.parse(options) as SimpleConsumerOptions),
})
for await (const message of consumer) {
  // Looked at only now and then: a call takes some 20 µs.
  if (message.value !== null && count++ % 500 === 0) {
    most = Math.max(most, process.memoryUsage().rss)
  }
}
most = Math.max(most, process.memoryUsage().rss)
console.log(JSON.stringify({ count, grownBytes: most - before }))
