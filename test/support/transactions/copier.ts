/**
 * A member of a group that copies a topic to another in transactions, in a process of its own. Argument: `CopierPlan` as
 * JSON. SIGTERM ends it in order.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient, KafkaError, type BalancedConsumerOptions } from '../../../src/index.ts'

export interface CopierPlan {
  readonly hosts: string
  readonly from: string
  readonly to: string
  readonly group: string
  readonly transactionalId: string
  /** The protocol of the group, and its options. */
  readonly members: Partial<BalancedConsumerOptions>
  readonly maxMessages: number
  /** How long the work on a batch takes. */
  readonly workMs: number
}

const plan = JSON.parse(process.argv[2] ?? '{}') as CopierPlan
const client = new KafkaClient({
  hosts: plan.hosts,
  clientId: plan.transactionalId,
  operationTimeoutMs: 60_000,
  waitForCluster: true,
})
const { transactionalId } = plan
const producer = await client.getTransactionalProducer({ transactionalId })
const consumer = await client.topic(plan.from).getBalancedConsumer({
  consumerGroup: plan.group,
  ...plan.members,
  autoOffsetReset: 'earliest',
  isolationLevel: 'read_committed',
  fetchMessageMaxBytes: 16_384,
})
process.once('SIGTERM', () => void consumer.close().catch(fail))
const headers = { copier: transactionalId }
process.stdout.write('ready\n')
try {
  for (;;) {
    try {
      await consumer.transact(
        producer,
        async (batch, tx) => {
          for (const { key, value, partition } of batch) {
            // Failures end the transaction, which the loop learns by its commit.
            tx.produce(plan.to, { key, value, partition, headers }).catch(() => undefined)
          }
          await delay(plan.workMs)
        },
        { maxMessages: plan.maxMessages, maxWaitMs: 1_000 },
      )
      break
    } catch (error) {
      // As an error of the membership, told once: the loop continues.
      if (!(error instanceof KafkaError) || !error.retriable) throw error
      process.stderr.write(`${transactionalId} continues after ${String(error)}\n`)
    }
  }
  await client.close()
} catch (error) {
  fail(error)
}

function fail(error: unknown): void {
  process.stderr.write(`${transactionalId}: ${String(error)}\n`)
  process.exit(1)
}
