import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import {
  KafkaClient,
  type TransactionalProducer,
  type TransactionalProducerOptions,
} from '../../../src/index.ts'

/** The transactional id of the producer of a scene. */
export const TRANSACTIONAL_ID = 'tx'
/** A group without members, whose offsets a transaction commits. */
export const GROUP = { groupId: 'g', generationId: -1, memberId: '', groupInstanceId: undefined }

/** A cluster, and a client that retries fast with a transactional producer. */
export interface TransactionScene extends AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient
  readonly producer: TransactionalProducer
}

/** Disposing of the scene stops the cluster. */
export async function transactionScene(
  kafka: EmbeddedCluster,
  options: Omit<TransactionalProducerOptions, 'transactionalId'> = {},
): Promise<TransactionScene> {
  const client = new KafkaClient({ hosts: kafka.hosts, retryBackoffMs: 5, retryBackoffMaxMs: 50 })
  const producer = await client.getTransactionalProducer({
    transactionalId: TRANSACTIONAL_ID,
    ...options,
  })
  return {
    kafka,
    client,
    producer,
    [Symbol.asyncDispose]: async () => {
      // Throws the failures of messages, which these tests cause.
      await client.close().catch(() => undefined)
      await kafka.stop()
    },
  }
}
