import { connect } from 'node:net'
import type { ISocketFactoryArgs, LogEntry } from 'kafkajs'
import { thrownBy, type Step } from './world.ts'

/** An address without a listener. */
const UNREACHABLE = '127.0.0.1:1'

export const CONNECTING: readonly Step[] = [
  {
    name: 'reports brokers that cannot be reached, and invalid lists of brokers',
    run: async (world) => {
      const connecting = (brokers: unknown) =>
        thrownBy(() => world.admin(world.kafka({ brokers } as never)).connect())
      return [
        await connecting([UNREACHABLE]),
        await connecting([]),
        await connecting(null),
        await connecting(['']),
        await connecting([5]),
        await connecting(() => Promise.reject(new Error('no list'))),
        await connecting(() => Promise.resolve([])),
      ]
    },
  },
  {
    name: 'takes brokers from a function, and sockets from a factory',
    run: async (world) => {
      const opened: unknown[] = []
      const socketFactory = ({ host, port, ssl, onConnect }: ISocketFactoryArgs) => {
        opened.push([host, port, ssl])
        return connect({ host, port }, onConnect)
      }
      const kafka = world.kafka({
        brokers: () => Promise.resolve([...world.brokers]),
        socketFactory,
      })
      const admin = world.admin(kafka)
      await admin.connect()
      const { brokers } = await admin.describeCluster()
      return [brokers.length, opened[0]]
    },
  },
  {
    name: 'logs through the given log creator, at the given level',
    run: async (world) => {
      const entries: LogEntry[] = []
      const levels: unknown[] = []
      const { WARN, DEBUG, ERROR } = world.lib.logLevel
      const kafka = world.kafka({
        logLevel: WARN,
        logCreator: (level) => {
          levels.push(level)
          return (entry) => entries.push(entry)
        },
      })
      const logger = kafka.logger()
      logger.info('not logged')
      logger.warn('logged', { more: 1 })
      const own = logger.namespace('Mine')
      own.error('named', { timestamp: 'mine' })
      own.debug('not logged')
      logger.setLogLevel(DEBUG)
      own.debug('logged now')
      logger.namespace('Quiet', ERROR).info('not logged')
      kafka.admin().logger().warn('of admin')
      kafka
        .producer({ createPartitioner: world.lib.Partitioners.LegacyPartitioner })
        .logger()
        .warn('of producer')
      world.consumer({}, kafka).logger().warn('of consumer')
      return Promise.resolve([levels, entries])
    },
  },
  {
    name: 'encodes and decodes the data that assigners exchange',
    run: (world) => {
      const { MemberAssignment, MemberMetadata } = world.lib.AssignerProtocol
      const userData = Buffer.from('data')
      const metadata = MemberMetadata.encode({ version: 1, topics: ['a', 'bä'], userData })
      const assignment = { a: [0, 2], b: [] }
      const encoded = MemberAssignment.encode({ version: 0, assignment, userData })
      return Promise.resolve([
        metadata.toString('hex'),
        encoded.toString('hex'),
        MemberMetadata.decode(metadata),
        MemberAssignment.decode(encoded),
        MemberAssignment.decode(Buffer.alloc(0)),
      ])
    },
  },
  {
    name: 'creates errors with the same fields',
    run: (world) => {
      const { lib } = world
      const e = Object.assign(new Error('why'), {
        type: 'T',
        code: 5,
        retriable: true,
        helpUrl: 'h',
      })
      // kafkajs declares no arguments for their constructors, which need some.
      const plain = [
        lib.KafkaJSBrokerNotFound,
        lib.KafkaJSTimeout,
        lib.KafkaJSLockTimeout,
        lib.KafkaJSNotImplemented,
        lib.KafkaJSPartialMessageError,
        lib.KafkaJSSASLAuthenticationError,
        lib.KafkaJSGroupCoordinatorNotFound,
        lib.KafkaJSUnsupportedMagicByteInMessageSet,
        lib.KafkaJSMetadataNotLoaded,
      ]
      const made = [
        new lib.KafkaJSError('text'),
        new lib.KafkaJSError(e, { retriable: false }),
        new lib.KafkaJSNonRetriableError(e),
        new lib.KafkaJSProtocolError(e),
        new lib.KafkaJSOffsetOutOfRange(e, { topic: 't', partition: 1 }),
        new lib.KafkaJSNumberOfRetriesExceeded(e, { retryCount: 1, retryTime: 2 }),
        new lib.KafkaJSConnectionError(e, { broker: 'b', code: 'c' }),
        ...plain.map((One) => new (One as new (e: Error) => Error)(e)),
        new lib.KafkaJSAggregateError('m', [e]),
        new lib.KafkaJSTopicMetadataNotLoaded(e, { topic: 't' }),
        new lib.KafkaJSServerDoesNotSupportApiKey(e, { apiKey: 1, apiName: 'n' }),
        new lib.KafkaJSAlterPartitionReassignmentsError(e, 't', 1),
        new lib.KafkaJSDeleteTopicRecordsError({
          topic: 't',
          partitions: [{ partition: 0, offset: '1', error: new lib.KafkaJSError('x') }],
        }),
      ]
      return Promise.resolve(
        made.map((one) => [
          one.constructor.name,
          one.name,
          one instanceof lib.KafkaJSError,
          Object.fromEntries(
            [
              'type',
              'code',
              'retriable',
              'topic',
              'partition',
              'broker',
              'apiKey',
              'apiName',
              'helpUrl',
              'retryCount',
            ].map((name) => [name, Reflect.get(one, name)]),
          ),
        ]),
      )
    },
  },
]
