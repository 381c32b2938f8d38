/**
 * Asks a broker for a topic's partitions in a process of its own with a small heap, and prints what came of it:
 *
 *   node --import tsx --max-old-space-size=64 asker.ts HOSTS TOPIC
 */
import { KafkaClient, KafkaError } from '../../../src/index.ts'

const [hosts = '', topic = ''] = process.argv.slice(2)

await using client = new KafkaClient({ hosts })
const before = process.memoryUsage().rss
let outcome: object
try {
  outcome = { partitions: (await client.topic(topic).partitions()).length }
} catch (error) {
  if (!(error instanceof KafkaError)) throw error
  outcome = { code: error.code, message: error.message }
}
// maxRSS is the most that the process ever had, in KiB; not all systems keep it up to date.
const most = Math.max(process.resourceUsage().maxRSS * 1024, process.memoryUsage().rss)
console.log(JSON.stringify({ ...outcome, grownBytes: most - before }))
