import { aDurationMs, aString, checkOptions } from '../../options.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { producerSettings, type ProducerOptions, type ProducerSettings } from '../options.ts'
import type { Data } from '../intake/serialize.ts'

/** As of a producer without transactions, but for what transactions decide: acks of all replicas, idempotence. */
export interface TransactionalProducerOptions<Value = Data, Key = Data> extends Omit<
  ProducerOptions<Value, Key>,
  'requiredAcks' | 'idempotent' | 'autoStart' | 'sync' | 'pendingTimeoutMs' | 'queueEmptyTimeoutMs'
> {
  /**
   * The name under which the brokers know the producer, also after a restart: at most one producer with this name
   * can write. Each instance of a service that runs at the same time needs one of its own.
   */
  readonly transactionalId: string
  /**
   * A transaction that takes longer is aborted by the coordinator, and the producer fenced. At most the brokers'
   * `transaction.max.timeout.ms`, 15 minutes by default. Default: 60,000.
   */
  readonly transactionTimeoutMs?: number
}

export interface TransactionalSettings {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  readonly producer: ProducerSettings
}

/** The most of a Kafka string. */
const MAX_ID_LENGTH = 32_767
/** While the markers of the transaction before are written, the first batch is refused for some milliseconds. */
const RETRY_BACKOFF_MS = 20

/** Throws InvalidArgumentError for an option that isn't one, or can't be right. */
export function transactionalSettings<Value, Key>(
  options: TransactionalProducerOptions<Value, Key>,
): TransactionalSettings {
  const { transactionalId, transactionTimeoutMs, ...rest } = options
  const own = { transactionalId, transactionTimeoutMs }
  checkOptions<typeof own>('getTransactionalProducer', own, {
    transactionalId: aString,
    transactionTimeoutMs: aDurationMs(1),
  })
  // Callers without TypeScript may leave it out.
  const id: unknown = transactionalId
  if (typeof id !== 'string' || Buffer.byteLength(id) > MAX_ID_LENGTH) {
    const reason = `must be a string of at most ${MAX_ID_LENGTH} bytes`
    throw new InvalidArgumentError(`getTransactionalProducer: option 'transactionalId' ${reason}`)
  }
  for (const name of ['requiredAcks', 'idempotent', 'autoStart', 'sync', 'pendingTimeoutMs']) {
    if (Object.hasOwn(rest, name)) {
      throw new InvalidArgumentError(
        `getTransactionalProducer has no option '${name}': transactions decide it`,
      )
    }
  }
  const withDefaults: ProducerOptions<Value, Key> = {
    ...rest,
    retryBackoffMs: rest.retryBackoffMs ?? RETRY_BACKOFF_MS,
    idempotent: true,
  }
  return {
    transactionalId,
    transactionTimeoutMs: transactionTimeoutMs ?? 60_000,
    producer: producerSettings(withDefaults),
  }
}
