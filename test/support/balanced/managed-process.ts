/**
 * A balanced consumer in a process of its own, which says what happens as Kafka's VerifiableConsumer does: a line of
 * JSON an event. Arguments: hosts, topic, group, options as JSON. SIGTERM ends it in order.
 */
import { KafkaClient } from '../../../src/index.ts'
import type { BalancedConsumerOptions, TopicPartition } from '../../../src/index.ts'

const [hosts = '', topic = '', consumerGroup = '', json = '{}'] = process.argv.slice(2)
const options = JSON.parse(json) as Partial<BalancedConsumerOptions>

function say(name: string, rest: object = {}): void {
  process.stdout.write(`${JSON.stringify({ name, timestamp: Date.now(), ...rest })}\n`)
}
const told = (name: string) => (partitions: readonly TopicPartition[]) => say(name, { partitions })

const client = new KafkaClient({ hosts, clientId: `managed-${process.pid}` })
const ending = new AbortController()
const consumer = await client.topic(topic).getBalancedConsumer({
  managed: true,
  consumerGroup,
  autoOffsetReset: 'earliest',
  autoCommitEnable: true,
  onPartitionsAssigned: told('partitions_assigned'),
  onPartitionsRevoked: told('partitions_revoked'),
  onPartitionsLost: told('partitions_lost'),
  ...options,
})
say('startup_complete')
process.once('SIGTERM', () => ending.abort())
const isEnding = () => ending.signal.aborted

while (!isEnding()) {
  try {
    const message = await consumer.consume({ signal: ending.signal })
    if (message === undefined) continue
    say('record_data', { partition: message.partition, offset: message.offset })
  } catch (error) {
    if (!isEnding()) say('error', { message: String(error) })
    if (!(error as { retriable?: boolean }).retriable) break
  }
}
try {
  await consumer.close()
  await client.close()
} catch (error) {
  say('error', { message: String(error) })
}
say('shutdown_complete')
