/**
 * Asks a broker for a topic's partitions in a process of its own with a small heap, and prints what came of it:
 *
 *   node --import tsx --max-old-space-size=64 asker.ts HOSTS TOPIC
 */
import { existsSync, readFileSync } from 'node:fs'
import { KafkaClient, KafkaError } from '../../../src/index.ts'

const STATUS = '/proc/self/status'

/**
 * The most memory that this process has had, in bytes. Not resourceUsage().maxRSS: on Linux that begins with what the
 * parent process had when it started this one. Elsewhere it is what the process has now.
 */
function mostBytes(): number {
  if (!existsSync(STATUS)) return process.memoryUsage().rss
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(STATUS, 'utf8')) ?? []
  return Number(kibibytes) * 1024
}

const [hosts = '', topic = ''] = process.argv.slice(2)

await using client = new KafkaClient({ hosts })
const before = mostBytes()
let outcome: object
try {
  outcome = { partitions: (await client.topic(topic).partitions()).length }
} catch (error) {
  if (!(error instanceof KafkaError)) throw error
  outcome = { code: error.code, message: error.message }
}
console.log(JSON.stringify({ ...outcome, grownBytes: mostBytes() - before }))
