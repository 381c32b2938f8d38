/**
 * `verifiable-producer` and `verifiable-consumer`: the programs of Kafka's system tests, with the options and the lines
 * of JSON of org.apache.kafka.tools.VerifiableProducer and VerifiableConsumer.
 */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { BalancedTopicsConsumer, ConsumerBatch, TopicPartition } from '../../index.ts'
import { declare, filled, option, positive } from '../command.ts'
import { messageOf, UsageError } from '../failure.ts'
import { slowDown } from '../pace.ts'
import type { Session } from '../session.ts'

interface ProducerOptions {
  readonly topic: string
  readonly maxMessages: number
  readonly throughput: number
  readonly acks: -1 | 0 | 1
  readonly messageCreateTime: number
  readonly valuePrefix?: number
  readonly repeatingKeys?: number
}

interface ConsumerOptions {
  readonly topic: string
  readonly groupId: string
  readonly groupInstanceId?: string
  readonly groupProtocol: string
  readonly groupRemoteAssignor?: string
  readonly maxMessages: number
  readonly sessionTimeout: number
  readonly verbose?: boolean
  readonly enableAutocommit?: boolean
  readonly resetPolicy: 'earliest' | 'latest' | 'none'
  readonly assignmentStrategy: string
}

const READY_EVERY = 256

/** Adds `samsa verifiable-producer` and `samsa verifiable-consumer`. */
export function verifiableCommands(samsa: Command): void {
  declare<ProducerOptions>(samsa, {
    name: 'verifiable-producer',
    summary: 'send increasing numbers, and print the outcome of each',
    options: [
      option('--topic <topic>', 'topic to send to').makeOptionMandatory(),
      ...maxMessages('send'),
      option('--throughput <messages>', 'messages per second; -1: as many as possible')
        .argParser(integer)
        .default(-1),
      new Option('--acks <acks>', 'acknowledgements required: -1, 0 or 1')
        .argParser(acks)
        .default(-1),
      option('--message-create-time <ms>', 'first timestamp; -1: the current time')
        .argParser(integer)
        .default(-1),
      option('--value-prefix <number>', 'number and a dot before each value').argParser(integer),
      option('--repeating-keys <count>', 'keys from 0 up to this number, repeatedly').argParser(
        positive,
      ),
      ...javaOptions('producer'),
    ],
    has: ['connection'],
    notes: VERIFIABLE,
    examples: ['samsa verifiable-producer --topic test --max-messages 100 --throughput 10'],
    run: verifiableProducer,
  })
  declare<ConsumerOptions>(samsa, {
    name: 'verifiable-consumer',
    summary: "read as a member of a group, and print events in the format of Kafka's system tests",
    options: [
      option('--topic <topic>', 'topic to read').makeOptionMandatory(),
      option('--group-id <id>', 'group to join').argParser(filled).makeOptionMandatory(),
      option('--group-instance-id <id>', 'name of a static member'),
      option('--group-protocol <protocol>', 'classic, or consumer (Kafka 4.0)').default('classic'),
      option('--group-remote-assignor <name>', "the broker's assignor, for the consumer protocol"),
      ...maxMessages('read'),
      option('--session-timeout <ms>', 'time without a heartbeat that ends the membership')
        .argParser(integer)
        .default(30_000),
      option('-v, --verbose', 'print each message'),
      option('--enable-autocommit', 'commit at intervals instead of after each batch'),
      new Option('--reset-policy <policy>', 'where to start without a committed offset')
        .choices(['earliest', 'latest', 'none'])
        .default('earliest'),
      option('--assignment-strategy <class>', "Java's name of an assignor").default(
        'org.apache.kafka.clients.consumer.RangeAssignor',
      ),
      ...javaOptions('consumer'),
    ],
    has: ['connection'],
    replaces: ['verbose'],
    notes: VERIFIABLE,
    examples: ['samsa verifiable-consumer --topic test --group-id tests --max-messages 100'],
    run: verifiableConsumer,
  })
}

const VERIFIABLE =
  'The options and the JSON lines are those of the Java program, so that its tests can use this command.'

const maxMessages = (verb: string) => [
  option('--max-messages <count>', `messages to ${verb}; -1: until Ctrl-C`)
    .argParser(integer)
    .default(-1),
]

/** Java's names of options that the connection options also have. */
const javaOptions = (kind: 'producer' | 'consumer') => [
  option('--broker-list <list>', 'as --brokers').hideHelp(),
  option(`--${kind}.config <file>`, 'as --config').hideHelp(),
]

function integer(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function acks(text: string): -1 | 0 | 1 {
  if (text === '-1' || text === 'all') return -1
  if (text === '0' || text === '1') return text === '0' ? 0 : 1
  throw new InvalidArgumentError('It must be -1, 0 or 1.')
}

function event(session: Session, name: string, fields: Readonly<Record<string, unknown>>): void {
  session.write(`${JSON.stringify({ timestamp: Date.now(), name, ...fields })}\n`)
}

async function verifiableProducer(
  session: Session,
  _args: readonly string[],
  options: ProducerOptions,
): Promise<void> {
  const { topic, maxMessages: most, throughput, valuePrefix, repeatingKeys } = options
  const { signal } = session.interrupt
  const client = await session.client()
  const producer = await client.getProducer({ requiredAcks: options.acks, maxRetries: 0 })
  event(session, 'startup_complete', {})
  const startedAt = performance.now()
  const startedMs = Date.now()
  let [sent, acked] = [0, 0]
  let createTime = options.messageCreateTime
  while (!signal.aborted && (most < 0 || sent < most)) {
    const value = valuePrefix === undefined ? `${sent}` : `${valuePrefix}.${sent}`
    const key = repeatingKeys === undefined ? null : String(sent % repeatingKeys)
    producer
      .produce(topic, value, { key, ...(createTime < 0 ? {} : { timestamp: createTime }) })
      .then(
        ({ partition, offset }) => {
          acked++
          event(session, 'producer_send_success', { key, value, topic, partition, offset })
        },
        (error: unknown) => {
          // `produce` rejects with errors only.
          const { name, message } = error as Error
          event(session, 'producer_send_error', {
            key,
            value,
            topic,
            exception: `class ${name}`,
            message,
          })
        },
      )
    if (createTime >= 0) createTime += Date.now() - startedMs
    sent++
    if (throughput > 0) await slowDown(startedAt, sent, throughput, signal)
    else if (sent % READY_EVERY === 0) await producer.ready()
  }
  // Each failure is already printed.
  await producer.close().catch(() => undefined)
  event(session, 'shutdown_complete', {})
  event(session, 'tool_data', {
    sent,
    acked,
    target_throughput: throughput,
    avg_throughput: (1000 * acked) / (performance.now() - startedAt),
  })
}

/** The assignors, by the last part of the names of their Java classes. */
const ASSIGNORS = {
  RangeAssignor: 'range',
  RoundRobinAssignor: 'roundrobin',
  StickyAssignor: 'sticky',
  CooperativeStickyAssignor: 'cooperative-sticky',
} as const

function assignorsOf(strategy: string) {
  return strategy.split(',').map((name) => {
    const last = name.trim().split('.').at(-1) ?? ''
    // `hasOwn` does not narrow the type of the name.
    if (Object.hasOwn(ASSIGNORS, last)) return ASSIGNORS[last as keyof typeof ASSIGNORS]
    throw new UsageError(
      `--assignment-strategy must be one of ${Object.keys(ASSIGNORS).join(', ')}, not '${name}'`,
    )
  })
}

/** In the consumer protocol the broker determines the session timeout, and as in Java the assignors have no effect. */
function groupOf(options: ConsumerOptions) {
  const { groupProtocol, groupRemoteAssignor, assignmentStrategy, sessionTimeout } = options
  switch (groupProtocol.toLowerCase()) {
    case 'classic':
      return {
        groupProtocol: 'classic',
        sessionTimeoutMs: sessionTimeout,
        assignors: assignorsOf(assignmentStrategy),
      } as const
    case 'consumer':
      return {
        groupProtocol: 'consumer',
        ...(groupRemoteAssignor === undefined ? {} : { remoteAssignor: groupRemoteAssignor }),
      } as const
    default:
      throw new UsageError(
        `--group-protocol must be one of classic, consumer, not '${groupProtocol}'`,
      )
  }
}

async function verifiableConsumer(
  session: Session,
  _args: readonly string[],
  options: ConsumerOptions,
): Promise<void> {
  const { topic, maxMessages: most, enableAutocommit = false, verbose = false } = options
  const group = groupOf(options)
  const client = await session.client()
  event(session, 'startup_complete', {})
  const report = (name: string) => (partitions: readonly TopicPartition[]) =>
    event(session, name, {
      partitions: partitions.map(({ topic: of, partition }) => ({ topic: of, partition })),
    })
  try {
    const consumer = await client.getBalancedConsumer({
      ...group,
      topics: [topic],
      consumerGroup: options.groupId,
      ...(options.groupInstanceId === undefined
        ? {}
        : { groupInstanceId: options.groupInstanceId }),
      autoOffsetReset: options.resetPolicy,
      autoCommitEnable: enableAutocommit,
      ...(enableAutocommit ? { autoCommitIntervalMs: 5_000 } : {}),
      onPartitionsAssigned: report('partitions_assigned'),
      onPartitionsRevoked: report('partitions_revoked'),
      // As Java's onPartitionsLost does by default.
      onPartitionsLost: report('partitions_revoked'),
    })
    const stop = (): void => {
      event(session, 'shutdown_requested', {})
      void consumer.close()
    }
    session.interrupt.signal.addEventListener('abort', stop)
    if (session.interrupt.signal.aborted) stop()
    await readBatches(session, consumer, most, enableAutocommit, verbose)
    await consumer.close()
  } finally {
    event(session, 'shutdown_complete', {})
  }
}

async function readBatches(
  session: Session,
  consumer: BalancedTopicsConsumer,
  most: number,
  isAutomatic: boolean,
  isVerbose: boolean,
): Promise<void> {
  const { ClosedError } = await import('../../index.ts')
  let consumed = 0
  try {
    for await (const batch of consumer.batches()) {
      const left = most < 0 ? Infinity : most - consumed
      const messages = batch.messages.slice(0, left)
      consumed += messages.length
      printBatch(session, batch, messages, isVerbose)
      const { topic, partition } = batch
      const offset = messages.at(-1)!.offset + 1
      if (!isAutomatic) await commit(session, consumer, { topic, partition, offset })
      if (most >= 0 && consumed >= most) break
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  }
}

function printBatch(
  session: Session,
  { topic, partition, messages: all }: ConsumerBatch,
  messages: ConsumerBatch['messages'],
  isVerbose: boolean,
): void {
  if (isVerbose) {
    for (const { key, value, offset } of messages) {
      const text = { key: key?.toString() ?? null, value: value?.toString() ?? null }
      event(session, 'record_data', { ...text, topic, partition, offset })
    }
  }
  const [minOffset, maxOffset] = [messages[0]!.offset, messages.at(-1)!.offset]
  event(session, 'records_consumed', {
    count: all.length,
    partitions: [{ topic, partition, count: messages.length, minOffset, maxOffset }],
  })
}

async function commit(
  session: Session,
  consumer: BalancedTopicsConsumer,
  offset: TopicPartition & { readonly offset: number },
): Promise<void> {
  const offsets = [offset]
  try {
    await consumer.commitOffsets(offsets)
    event(session, 'offsets_committed', { offsets, success: true })
  } catch (error) {
    event(session, 'offsets_committed', { offsets, error: messageOf(error), success: false })
  }
}
