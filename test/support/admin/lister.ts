/**
 * Lists topics, groups and their lag in a process of its own with a small heap, and prints what came of it:
 *
 *   node --import tsx --max-old-space-size=64 lister.ts HOSTS
 */
import { existsSync, readFileSync } from 'node:fs'
import { KafkaClient } from '../../../src/index.ts'

const STATUS = '/proc/self/status'

/** The most memory that this process has had, in bytes; elsewhere than on Linux what it has now. */
function mostBytes(): number {
  if (!existsSync(STATUS)) return process.memoryUsage().rss
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(STATUS, 'utf8')) ?? []
  return Number(kibibytes) * 1024
}

const [hosts = ''] = process.argv.slice(2)

await using client = new KafkaClient({ hosts, operationTimeoutMs: 300_000 })
const { admin } = client
await admin.describeCluster()
const before = mostBytes()
let partitions = 0
for await (const topic of admin.eachTopic()) partitions += topic.partitions.length
const listed = (await admin.listTopics()).length
const groups = (await admin.listGroups()).groups.length
let lag = 0
let unknown = 0
for await (const group of admin.eachLag()) {
  if (group.lag === undefined) unknown++
  else lag += group.lag
}
console.log(
  JSON.stringify({ partitions, listed, groups, lag, unknown, grownBytes: mostBytes() - before }),
)
