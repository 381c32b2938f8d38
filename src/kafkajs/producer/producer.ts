import { Session } from '../connection/session.ts'
import { watchNetwork } from '../connection/network-events.ts'
import { TopicMetadata } from '../connection/topic-metadata.ts'
import { Emitter } from '../emitter.ts'
import { errorFrom } from '../error-from.ts'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { PRODUCER_EVENTS } from '../events.ts'
import { withNumbers } from '../numbers.ts'
import { retrySettings } from '../retry.ts'
import type { KafkaConfig, Logger } from '../types/common.ts'
import type { ProducerEventMap } from '../types/events.ts'
import type { Producer, ProducerConfig } from '../types/producer.ts'
import { DefaultPartitioner } from './partitioners.ts'
import { ProducerPool } from './pool.ts'
import { createSender, type Status } from './send.ts'
import { Transactions, type Groups } from './transaction.ts'

const DEFAULT_METADATA_MAX_AGE_MS = 300_000
const NUMBERS = ['metadataMaxAge', 'transactionTimeout', 'maxInFlightRequests'] as const

export function createProducer(
  kafka: KafkaConfig,
  options: ProducerConfig,
  root: Logger,
  groups: Groups,
): Producer {
  const config = withNumbers(options, NUMBERS)
  const { idempotent = false, metadataMaxAge = DEFAULT_METADATA_MAX_AGE_MS } = config
  const given = { ...kafka.retry, ...config.retry }
  const retry = retrySettings(idempotent ? { retries: Number.MAX_SAFE_INTEGER, ...given } : given)
  if (idempotent && retry.retries < 1) {
    throw new KafkaJSNonRetriableError(
      'Idempotent producer must allow retries to protect against transient errors',
    )
  }
  const logger = root.namespace('Producer')
  if (idempotent && retry.retries < Number.MAX_SAFE_INTEGER) {
    logger.warn('Limiting retries for the idempotent producer may invalidate EoS guarantees')
  }
  const emitter = new Emitter<ProducerEventMap>('producer', PRODUCER_EVENTS, logger)
  const session = new Session({
    config: kafka,
    logger: root,
    retry: retrySettings(given),
    metadataMaxAge,
    watch: (client) =>
      watchNetwork(client, {
        emitter,
        names: PRODUCER_EVENTS,
        request: (event) => emitter.emit(PRODUCER_EVENTS.REQUEST, event),
        requestTimeout: (event) => emitter.emit(PRODUCER_EVENTS.REQUEST_TIMEOUT, event),
      }),
  })
  const create = config.allowAutoTopicCreation ?? true
  const topics = new TopicMetadata(session, retrySettings(given), create, metadataMaxAge)
  const pool = new ProducerPool(session, config, retry)
  const transactions = new Transactions(session, config, retry, groups)
  let status: Status = 'disconnected'
  const parts = {
    session,
    topics,
    partitioner: (config.createPartitioner ?? DefaultPartitioner)(),
    retry,
    status: () => status,
  }
  const { send, sendBatch } = createSender({
    ...parts,
    idempotent,
    produce: async (messages, options) => {
      const producer = await pool.get(options)
      return producer.produceMany(messages)
    },
  })
  return {
    connect: async () => {
      await session.connect()
      status = 'connected'
      emitter.emit(PRODUCER_EVENTS.CONNECT)
      if (!idempotent) return
      try {
        await pool.get({})
      } catch (error) {
        throw errorFrom(error)
      }
    },
    disconnect: async () => {
      status = 'disconnecting'
      await session.disconnect(async () => {
        await transactions.close().catch((error: unknown) => {
          logger.warn(`The open transaction could not be aborted: ${errorFrom(error).message}`)
        })
        await pool.close()
      })
      status = 'disconnected'
      emitter.emit(PRODUCER_EVENTS.DISCONNECT)
    },
    isIdempotent: () => idempotent,
    events: PRODUCER_EVENTS,
    on: emitter.on,
    send,
    sendBatch,
    transaction: () => transactions.begin(parts),
    logger: () => logger,
  }
}
