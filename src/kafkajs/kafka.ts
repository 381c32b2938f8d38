import { createAdmin } from './admin/admin.ts'
import { createConsumer, type RunningConsumer } from './consumer/consumer.ts'
import { createLogger } from './logger.ts'
import { withNumbers } from './numbers.ts'
import { createProducer } from './producer/producer.ts'
import type { Groups } from './producer/transaction.ts'
import type { Admin, AdminConfig } from './types/admin.ts'
import type { KafkaConfig, Logger } from './types/common.ts'
import type { Consumer, ConsumerConfig } from './types/consumer.ts'
import type { Producer, ProducerConfig } from './types/producer.ts'

const NUMBERS = ['connectionTimeout', 'requestTimeout'] as const

interface State {
  readonly config: KafkaConfig
  readonly logger: Logger
  /** The running consumers, whose generations fence the transactions that commit their offsets (KIP-447). */
  readonly running: Set<RunningConsumer>
}

/** Not a private field, because TypeScript would then no longer accept this class in place of kafkajs's. */
const states = new WeakMap<Kafka, State>()

function stateOf(kafka: Kafka): State {
  const state = states.get(kafka)
  if (state === undefined)
    throw new TypeError('the object was not created by the constructor of Kafka')
  return state
}

/** The client of kafkajs. Each producer, consumer and admin client has its own connections. */
export class Kafka {
  constructor(config: KafkaConfig) {
    const logger = createLogger(config.logLevel, config.logCreator)
    states.set(this, { config: withNumbers(config, NUMBERS), logger, running: new Set() })
  }

  /** Creates a producer. Call `connect()` before `send()`. */
  producer(config: ProducerConfig = {}): Producer {
    const { config: kafka, logger, running } = stateOf(this)
    return createProducer(kafka, config, logger, groupsOf(running))
  }

  /** Creates a consumer of a group. Call `connect()`, `subscribe()`, then `run()`. */
  consumer(config: ConsumerConfig): Consumer {
    const { config: kafka, logger, running } = stateOf(this)
    return createConsumer(kafka, config, logger, running)
  }

  /** Creates an admin client. */
  admin(config: AdminConfig = {}): Admin {
    const { config: kafka, logger } = stateOf(this)
    return createAdmin(kafka, config, logger)
  }

  logger(): Logger {
    return stateOf(this).logger
  }
}

function groupsOf(running: ReadonlySet<RunningConsumer>): Groups {
  const ofGroup = (groupId: string) => [...running].filter((one) => one.groupId === groupId)
  const onlyOne = (groupId: string) => {
    const members = ofGroup(groupId)
    return members.length === 1 ? members[0] : undefined
  }
  return {
    memberOf: (groupId) => onlyOne(groupId)?.member,
    hasLost: (groupId, topic, partition) => onlyOne(groupId)?.hasLost(topic, partition) ?? false,
    committed: (groupId, offsets) => {
      for (const one of ofGroup(groupId)) one.committed(offsets)
    },
  }
}
