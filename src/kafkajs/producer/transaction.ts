import type {
  GroupMetadata,
  Transaction as SamsaTransaction,
  TransactionalProducer,
} from '../../index.ts'
import { ErrorCode } from '../../../protocol/index.ts'
import type { Session } from '../connection/session.ts'
import { errorFrom, protocolErrorOf } from '../error-from.ts'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { exhausted, type RetrySettings } from '../retry.ts'
import { partitionOffsets } from '../topic-offsets.ts'
import type { Offsets } from '../types/common.ts'
import type { ProducerConfig, Transaction } from '../types/producer.ts'
import { commonOptions } from './pool.ts'
import { createSender, type SenderParts } from './send.ts'

/** The consumers of the same `Kafka`, whose generations fence the transactions that commit their offsets (KIP-447). */
export interface Groups {
  /** The member of the group; undefined unless the same `Kafka` has exactly one. */
  memberOf(groupId: string): GroupMetadata | undefined
  /** Whether that member had this partition, and has it no longer. */
  hasLost(groupId: string, topic: string, partition: number): boolean
  /** Reports that a transaction has committed these offsets. */
  committed(groupId: string, offsets: Offsets['topics']): void
}

/** The transactions of a producer with a transactional id, one at a time. */
export class Transactions {
  readonly #session: Session
  readonly #config: ProducerConfig
  readonly #retry: RetrySettings
  readonly #groups: Groups
  #producer: Promise<TransactionalProducer> | undefined
  #current: SamsaTransaction | undefined
  /** True while `begin` is running. */
  #isBeginning = false

  constructor(session: Session, config: ProducerConfig, retry: RetrySettings, groups: Groups) {
    this.#session = session
    this.#config = config
    this.#retry = retry
    this.#groups = groups
  }

  async begin(parts: Omit<SenderParts, 'produce' | 'idempotent'>): Promise<Transaction> {
    if (!this.#config.transactionalId) {
      throw new KafkaJSNonRetriableError('Must provide transactional id for transactional producer')
    }
    if (this.#current !== undefined || this.#isBeginning) {
      throw new KafkaJSNonRetriableError(
        'There is already an ongoing transaction for this producer. Please end the transaction before beginning another.',
      )
    }
    this.#isBeginning = true
    try {
      const producer = await this.#open(this.#config.transactionalId)
      const transaction = await producer.begin()
      this.#current = transaction
      return this.#wrapped(transaction, parts)
    } catch (error) {
      throw exhausted(errorFrom(error), this.#retry)
    } finally {
      this.#isBeginning = false
    }
  }

  async close(): Promise<void> {
    const opening = this.#producer
    this.#producer = undefined
    this.#current = undefined
    const producer = await opening?.catch(() => undefined)
    await producer?.close()
  }

  #open(transactionalId: string): Promise<TransactionalProducer> {
    this.#producer ??= this.#session.client().then((client) =>
      client.getTransactionalProducer({
        transactionalId,
        ...commonOptions(this.#config, this.#retry, {}),
        ...(this.#config.transactionTimeout === undefined
          ? {}
          : { transactionTimeoutMs: this.#config.transactionTimeout }),
      }),
    )
    this.#producer.catch(() => {
      this.#producer = undefined
    })
    return this.#producer
  }

  #wrapped(
    transaction: SamsaTransaction,
    parts: Omit<SenderParts, 'produce' | 'idempotent'>,
  ): Transaction {
    const { send, sendBatch } = createSender({
      ...parts,
      idempotent: true,
      produce: (messages) => transaction.produceMany(messages),
    })
    const isActive = (): boolean => this.#current === transaction
    /** The offsets that were sent, with their groups. Consumers learn of them when the transaction is committed. */
    const sent: [groupId: string, topics: Offsets['topics']][] = []
    const guarded =
      <Arguments extends unknown[], Result>(run: (...given: Arguments) => Promise<Result>) =>
      async (...given: Arguments): Promise<Result> => {
        if (!isActive()) {
          throw new KafkaJSNonRetriableError('Cannot continue to use transaction once ended')
        }
        try {
          return await run(...given)
        } catch (error) {
          throw exhausted(errorFrom(error), this.#retry)
        }
      }
    const ending = (end: () => Promise<void>) =>
      guarded(async () => {
        await end()
        this.#current = undefined
      })
    return {
      send: guarded(send),
      sendBatch: guarded(sendBatch),
      sendOffsets: guarded(async ({ consumerGroupId, topics }) => {
        await this.#sendOffsets(transaction, consumerGroupId, topics)
        sent.push([consumerGroupId, topics])
      }),
      commit: ending(async () => {
        await transaction.commit()
        for (const [groupId, topics] of sent) this.#groups.committed(groupId, topics)
      }),
      abort: ending(() => transaction.abort()),
      isActive,
    }
  }

  async #sendOffsets(
    transaction: SamsaTransaction,
    groupId: string,
    topics: Offsets['topics'],
  ): Promise<void> {
    const member = this.#groups.memberOf(groupId)
    const offsets = partitionOffsets(topics)
    // Once the member has joined the next generation, the coordinator would accept offsets of partitions that it lost.
    if (offsets.some((one) => this.#groups.hasLost(groupId, one.topic, one.partition))) {
      throw protocolErrorOf(ErrorCode.ILLEGAL_GENERATION)
    }
    const group = member ?? {
      groupId,
      generationId: -1,
      memberId: '',
      groupInstanceId: undefined,
    }
    await transaction.sendOffsets({ group, offsets })
  }
}
