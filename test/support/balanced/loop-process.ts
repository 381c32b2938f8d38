/**
 * A balanced consumer in a process of its own that reads with one `for await` loop and commits at intervals. It says
 * what happens as managed-process.ts does, and each warning. Arguments: hosts, topic, group, options as JSON.
 */
import { setTimeout as delay } from 'node:timers/promises'
import {
  KafkaClient,
  type BalancedConsumerOptions,
  type TopicPartition,
} from '../../../src/index.ts'
import { silentLogger } from '../../../src/observe/logger.ts'

/** How long the body of the loop works on each message. */
const WORK_MS = 20

const [hosts = '', topic = '', consumerGroup = '', json = '{}'] = process.argv.slice(2)
const options = JSON.parse(json) as Omit<BalancedConsumerOptions, 'consumerGroup'>

function say(name: string, rest: object = {}): void {
  process.stdout.write(`${JSON.stringify({ name, timestamp: Date.now(), ...rest })}\n`)
}
const told = (name: string) => (partitions: readonly TopicPartition[]) => say(name, { partitions })

const client = new KafkaClient({
  hosts,
  clientId: 'loop',
  logger: { ...silentLogger, warn: (message) => say('warning', { message }) },
})
const consumer = await client.topic(topic).getBalancedConsumer({
  consumerGroup,
  autoOffsetReset: 'earliest',
  autoCommitEnable: true,
  onPartitionsAssigned: told('partitions_assigned'),
  onPartitionsRevoked: told('partitions_revoked'),
  onPartitionsLost: told('partitions_lost'),
  ...options,
})
say('startup_complete')
process.once('SIGTERM', () => void consumer.close())

try {
  for await (const { partition, offset } of consumer) {
    say('record_data', { partition, offset })
    await delay(WORK_MS)
  }
} catch (error) {
  say('error', { message: String(error) })
}
await client.close()
say('shutdown_complete')
