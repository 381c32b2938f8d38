import { createAdmin } from './admin/admin.ts'
import { createConsumer, type RunningConsumer } from './consumer/consumer.ts'
import { createLogger } from './logger.ts'
import { createProducer } from './producer/producer.ts'
import type { Groups } from './producer/transaction.ts'
import type { Admin, AdminConfig } from './types/admin.ts'
import type { KafkaConfig, Logger } from './types/common.ts'
import type { Consumer, ConsumerConfig } from './types/consumer.ts'
import type { Producer, ProducerConfig } from './types/producer.ts'

interface State {
  readonly config: KafkaConfig
  readonly logger: Logger
  /** Those that run: transactions with their offsets are fenced by the generation of their group. */
  readonly running: Set<RunningConsumer>
}

/** Not in private fields: with one, TypeScript would not take kafkajs's class and this one for each other. */
const states = new WeakMap<Kafka, State>()

function stateOf(kafka: Kafka): State {
  const state = states.get(kafka)
  if (state === undefined) throw new TypeError('not a Kafka that was made by its constructor')
  return state
}

/** kafkajs's client. Producers, consumers and admin clients have connections of their own. */
export class Kafka {
  constructor(config: KafkaConfig) {
    const logger = createLogger(config.logLevel, config.logCreator)
    states.set(this, { config, logger, running: new Set() })
  }

  /** A producer: `connect()` it before `send()`. */
  producer(config: ProducerConfig = {}): Producer {
    const { config: kafka, logger, running } = stateOf(this)
    return createProducer(kafka, config, logger, groupsOf(running))
  }

  /** A consumer of a group: `connect()`, `subscribe()`, then `run()`. */
  consumer(config: ConsumerConfig): Consumer {
    const { config: kafka, logger, running } = stateOf(this)
    return createConsumer(kafka, config, logger, running)
  }

  /** An admin client. */
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
  return {
    memberOf: (groupId) => {
      const members = ofGroup(groupId)
      return members.length === 1 ? members[0]?.member : undefined
    },
    committed: (groupId, offsets) => {
      for (const one of ofGroup(groupId)) one.committed(offsets)
    },
  }
}
