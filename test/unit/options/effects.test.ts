import { describe, expect, it } from '@jest/globals'
import { isDeepStrictEqual } from 'node:util'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import {
  GROUP_OPTIONS,
  groupSettings,
  type GroupOptions,
} from '../../../src/balanced/classic/settings.ts'
import {
  CONSUMER_GROUP_OPTIONS,
  consumerGroupSettings,
  type ConsumerGroupOptions,
} from '../../../src/balanced/consumer/settings.ts'
import {
  GROUP_PROTOCOL_CHOICE,
  protocolOf,
  type GroupProtocolChoice,
} from '../../../src/balanced/protocols.ts'
import {
  sessionOptions,
  ZOOKEEPER_OPTIONS,
  type ZooKeeperOptions,
} from '../../../src/balanced/zookeeper/options.ts'
import { NamedTopics } from '../../../src/balanced/subscription.ts'
import { CLIENT_OPTIONS, clusterOptions } from '../../../src/client-options.ts'
import type { Converter } from '../../../src/consumer/consumed-message.ts'
import { Cluster } from '../../../src/cluster/cluster.ts'
import {
  commitSettings,
  CONSUMER_OPTIONS,
  consumerSettings,
} from '../../../src/consumer/options.ts'
import {
  InvalidArgumentError,
  type ConsumerOptions,
  type KafkaClientOptions,
  type ProducerOptions,
} from '../../../src/index.ts'
import { silentLogger } from '../../../src/observe/logger.ts'
import { prepareTls, TLS_OPTIONS, type TlsOptions } from '../../../src/network/tls.ts'
import { checkTable, type AnyOptionTable } from '../../../src/option-table.ts'
import { PRODUCER_OPTIONS, producerSettings, warnOfOptions } from '../../../src/producer/options.ts'
import { transactionalSettings } from '../../../src/producer/transactions/options.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { keepWarnings } from '../../support/warnings.ts'
import { record, SOURCE } from '../records/records.ts'

/** A value other than the default, and the other options beside which it has an effect. */
interface Example<Options, Name extends keyof Options> {
  readonly value: Exclude<Options[Name], undefined>
  readonly beside?: Partial<Options>
  /** Beside these options it has none, and is refused. */
  readonly refusedBeside?: Partial<Options>
}

type Examples<Options> = {
  readonly [Name in keyof Options]-?: Example<Options, Name> | 'warned about' | 'shown elsewhere'
}

/** `observe` returns what the options change; its warnings count as a part of that. */
function everyOption<Options extends object>(
  table: AnyOptionTable,
  examples: Examples<Options>,
  observe: (options: Options, warn: (text: string) => void) => unknown,
): void {
  const observed = (options: object) => {
    const warnings: string[] = []
    return { seen: observe(options as Options, (text) => void warnings.push(text)), warnings }
  }
  type Entry = Example<Options, keyof Options> | 'warned about' | 'shown elsewhere'
  const entries = Object.entries<Entry>(examples)
  it('exactly the options that can have no effect have an example in which they are rejected', () => {
    const shownHere = entries.filter(([, example]) => example !== 'shown elsewhere')
    const refusable = shownHere.filter(([name]) => table[name]?.noEffect !== undefined)
    const refused = shownHere.filter(
      ([, example]) => typeof example === 'object' && example.refusedBeside !== undefined,
    )
    expect(refused.map(([name]) => name)).toEqual(refusable.map(([name]) => name))
  })
  for (const [name, example] of entries) {
    if (example === 'shown elsewhere') continue
    if (example === 'warned about') {
      it(`${name} causes a warning, because it never has an effect`, () => {
        expect(observed({ [name]: name.endsWith('Ms') ? 1 : true }).warnings).toEqual([
          expect.stringContaining(`option '${name}' has no effect`),
        ])
      })
      continue
    }
    const { value, beside = {}, refusedBeside } = example
    it(`${name} has an effect`, () => {
      const without = observed(beside)
      // Functions that are made at each call differ by identity: observe what they do, or say 'shown elsewhere'.
      expect(isDeepStrictEqual(observed(beside), without)).toBe(true)
      const given = observed({ ...beside, [name]: value })
      expect(isDeepStrictEqual(given, without)).toBe(false)
    })
    if (refusedBeside === undefined) continue
    it(`${name} is rejected if it changes nothing`, () => {
      const useless = () => observed({ ...refusedBeside, [name]: value })
      expect(useless).toThrow(InvalidArgumentError)
      expect(useless).toThrow(`option '${name}' has no effect`)
    })
  }
}

/** The settings that a function stands in are compared by what it does. */
function withoutFunctions(settings: object): object {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => typeof value !== 'function'),
  )
}

const socketFactory = () => Promise.reject(new Error('it opens none'))
const { logger } = keepWarnings()

describe('the effects of client options', () => {
  const examples: Examples<KafkaClientOptions> = {
    hosts: { value: 'kafka:9092', refusedBeside: { zookeeperHosts: 'zk:2181' } },
    zookeeperHosts: {
      value: 'zk:2181',
      refusedBeside: { bootstrapControllers: 'controller:9093' },
    },
    bootstrapControllers: { value: 'controller:9093' },
    waitForCluster: { value: true },
    clientId: { value: 'billing' },
    tls: { value: true },
    sasl: {
      value: { mechanism: 'PLAIN', username: 'me', password: 'hush' },
      beside: { tls: true },
    },
    operationTimeoutMs: { value: 1 },
    socketTimeoutMs: { value: 1 },
    connectTimeoutMs: { value: 1 },
    retryBackoffMs: { value: 1 },
    retryBackoffMaxMs: { value: 150, refusedBeside: { retryBackoffMs: 200 } },
    reconnectBackoffMs: { value: 1 },
    reconnectBackoffMaxMs: { value: 150, refusedBeside: { reconnectBackoffMs: 200 } },
    connectionsMaxIdleMs: { value: 1 },
    metadataMaxAgeMs: { value: 1 },
    maxResponseBytes: { value: 1 },
    enableMetricsPush: { value: false },
    // Another function finds the addresses: test/unit/cluster/bootstrap.test.ts.
    dnsLookup: {
      value: 'resolve_canonical_bootstrap_servers_only',
      refusedBeside: { zookeeperHosts: 'zk:2181' },
    },
    socketFactory: { value: socketFactory },
    logger: { value: logger },
  }
  everyOption(CLIENT_OPTIONS, examples, (options) => {
    const { bootstrap, logger: used, ...rest } = clusterOptions(options)
    return {
      ...rest,
      // Each client has its own.
      metrics: undefined,
      broker: { ...rest.broker, logger: undefined, metrics: undefined, instanceId: undefined },
      isSilent: used === silentLogger,
      bootstrap: String(bootstrap),
      hosts: options.hosts,
    }
  })
})

describe('the effects of producer options', () => {
  const examples: Examples<ProducerOptions> = {
    requiredAcks: { value: 1 },
    idempotent: { value: false },
    compression: { value: 'lz4' },
    compressionLevel: {
      value: 9,
      beside: { compression: 'gzip' },
      refusedBeside: { compression: 'lz4' },
    },
    lingerMs: { value: 5, refusedBeside: { sync: true } },
    batchBytes: { value: 65_536, refusedBeside: { maxRequestSize: 1_000 } },
    maxRequestSize: { value: 65_536 },
    maxInFlight: { value: 6 },
    deliveryTimeoutMs: { value: 1 },
    maxRetries: { value: 1 },
    retryBackoffMs: { value: 1, refusedBeside: { maxRetries: 0 } },
    ackTimeoutMs: { value: 1, refusedBeside: { requiredAcks: 0 } },
    maxQueuedMessages: { value: 1 },
    maxQueuedBytes: { value: 1 },
    minQueuedMessages: { value: 1, beside: { lingerMs: 5 }, refusedBeside: {} },
    blockOnQueueFull: { value: false },
    partitioner: { value: () => 0 },
    clientRack: { value: 'a', refusedBeside: { partitioner: () => 0 } },
    partitionerRackAware: { value: false, beside: { clientRack: 'a' }, refusedBeside: {} },
    serializer: { value: (value, key) => [value, key] },
    deliveryReports: { value: true },
    // Alone it is a promise that nothing lingers, which is so without it.
    sync: { value: true, beside: { pendingTimeoutMs: 100 } },
    pendingTimeoutMs: { value: 100 },
    // test/unit/producer/start.test.ts
    autoStart: 'shown elsewhere',
    queueEmptyTimeoutMs: 'warned about',
  }
  everyOption(PRODUCER_OPTIONS, examples, (options, warn) => {
    warnOfOptions(options, { ...logger, warn })
    const settings = {
      ...producerSettings(options),
      sync: undefined,
      queueEmptyTimeoutMs: undefined,
    }
    return { ...settings, clientRack: undefined, partitionerRackAware: undefined }
  })

  it('maxInFlight over 5 causes a warning, because it turns idempotence off', () => {
    const { warnings, logger: keeping } = keepWarnings()
    warnOfOptions({ maxInFlight: 6 }, keeping)
    expect(warnings).toEqual([expect.stringContaining('maxInFlight 6 disables idempotence')])
  })

  it.each([
    'requiredAcks',
    'idempotent',
    'sync',
    'pendingTimeoutMs',
    'autoStart',
    'queueEmptyTimeoutMs',
  ])('%s is rejected by a transactional producer, which decides it', (name) => {
    const options = { transactionalId: 'billing-1', [name]: 1 }
    expect(() => transactionalSettings(options)).toThrow(`has no option '${name}'`)
  })
})

describe('the effects of consumer options', () => {
  const group = { consumerGroup: 'billing' }
  const examples: Examples<ConsumerOptions> = {
    consumerGroup: { value: 'billing' },
    autoOffsetReset: { value: 'latest' },
    resetOffsetOnStart: { value: true, beside: group },
    resetOffsetOnFetch: { value: true, beside: group, refusedBeside: {} },
    autoCommitEnable: { value: true, beside: group, refusedBeside: {} },
    autoCommitIntervalMs: {
      value: 1,
      beside: group,
      refusedBeside: { ...group, autoCommitEnable: false },
    },
    offsetsCommitMaxRetries: { value: 1, beside: group, refusedBeside: {} },
    offsetsChannelBackoffMs: {
      value: 1,
      beside: group,
      refusedBeside: { ...group, offsetsCommitMaxRetries: 0 },
    },
    offsetsStorage: { value: 'zookeeper', beside: group, refusedBeside: {} },
    consumerTimeoutMs: { value: 1 },
    stopAtEnd: { value: true },
    isolationLevel: { value: 'read_committed' },
    skipCorrupt: { value: true },
    reuseMemory: { value: true },
    fetchMessageMaxBytes: { value: 1 },
    fetchMinBytes: { value: 2 },
    fetchWaitMaxMs: { value: 1, refusedBeside: { fetchMinBytes: 0 } },
    fetchErrorBackoffMs: { value: 1 },
    numConsumerFetchers: { value: 2 },
    queuedMaxBytes: { value: 1 },
    queuedMaxMessages: { value: 1 },
    decompressedBatchMaxBytes: { value: 1 },
    clientRack: { value: 'a' },
    deserializer: { value: () => Buffer.from('other') },
    keyDeserializer: { value: () => Buffer.from('other') },
    onDeserializationError: {
      value: 'skip',
      beside: { deserializer: throwing },
      refusedBeside: {},
    },
    compactedTopic: 'warned about',
  }
  everyOption(CONSUMER_OPTIONS, examples, (options, warn) => {
    checkTable('getSimpleConsumer', options, CONSUMER_OPTIONS)
    const cluster = new Cluster(clusterOptions({ logger: { ...logger, warn } }))
    const { convert, ...settings } = consumerSettings(cluster, options)
    return { settings, commits: commitSettings(cluster, options), converted: read(convert) }
  })

  function throwing(): Buffer {
    throw new Error('it is not JSON')
  }

  /** Of one message: what the deserializers make of it. */
  function read(convert: Converter<unknown, unknown>): unknown {
    const [batch] = readBatches(encodeBatch([record('key', 'value')]), SOURCE).batches
    const [message] = batch!.messages()
    try {
      const converted = convert(message!)
      return converted === undefined ? 'left out' : { key: converted.key, value: converted.value }
    } catch (error) {
      return String(error)
    }
  }
})

describe('the effects of group options', () => {
  const cluster = new Cluster(clusterOptions({}))
  const classic: Examples<GroupOptions> = {
    assignors: { value: ['sticky'] },
    groupInstanceId: { value: 'member-1' },
    sessionTimeoutMs: { value: 6_000 },
    heartbeatIntervalMs: { value: 1 },
    maxPollIntervalMs: { value: 1 },
  }
  everyOption(GROUP_OPTIONS, classic, (options) => {
    checkTable('getBalancedConsumer', options, GROUP_OPTIONS)
    return groupSettings(options, {
      groupId: 'billing',
      subscription,
      clientRack: undefined,
      busyForMs,
    })
  })
  const consumer: Examples<ConsumerGroupOptions> = {
    remoteAssignor: { value: 'range' },
    groupInstanceId: { value: 'one' },
    groupInstanceWaitMs: { value: 1, beside: { groupInstanceId: 'one' }, refusedBeside: {} },
    maxPollIntervalMs: { value: 1 },
  }
  everyOption(CONSUMER_GROUP_OPTIONS, consumer, (options) => {
    checkTable('getBalancedConsumer', options, CONSUMER_GROUP_OPTIONS)
    return consumerGroupSettings(options, {
      groupId: 'billing',
      subscription,
      clientRack: undefined,
      busyForMs,
    })
  })
  const subscription = new NamedTopics(cluster, ['orders'])
  const busyForMs = () => 0

  const zookeeper: Examples<ZooKeeperOptions> = {
    zookeeperHosts: { value: 'zk:2181' },
    zookeeperConnect: { value: 'zk:2181', refusedBeside: { zookeeperHosts: 'zk2:2181' } },
    zookeeperConnectionTimeoutMs: { value: 100 },
    // test/embedded/balanced-zookeeper.test.ts
    zookeeperAuth: 'shown elsewhere',
    zookeeper: 'shown elsewhere',
    membershipProtocol: 'shown elsewhere',
  }
  everyOption(ZOOKEEPER_OPTIONS, zookeeper, (options) => {
    checkTable('getBalancedConsumer', options, ZOOKEEPER_OPTIONS)
    return withoutFunctions(sessionOptions(options))
  })

  const choice: Examples<GroupProtocolChoice> = {
    groupProtocol: { value: 'classic' },
    managed: { value: true },
  }
  everyOption(GROUP_PROTOCOL_CHOICE, choice, (options) => {
    checkTable('getBalancedConsumer', options, GROUP_PROTOCOL_CHOICE)
    return protocolOf(options)
  })
})

describe('the effects of TLS options', () => {
  const authority = new TestAuthority()
  const { cert, key } = authority.issue({ commonName: 'me', passphrase: 'hush' })
  it('ca is rejected if it changes nothing', () => {
    const options = { ca: authority.cert, dangerouslyTrustAnyCertificate: true }
    expect(() => prepareTls(options)).toThrow("option 'ca' has no effect")
  })
  const examples: Examples<TlsOptions> = {
    // test/unit/tls.test.ts: contexts of TLS do not show what they trust.
    ca: 'shown elsewhere',
    cert: { value: cert, beside: { key, passphrase: 'hush' } },
    key: { value: key, beside: { cert } },
    passphrase: { value: 'hush', beside: { cert, key }, refusedBeside: {} },
    servername: { value: 'kafka' },
    dangerouslySkipHostnameCheck: {
      value: true,
      refusedBeside: { dangerouslyTrustAnyCertificate: true },
    },
    dangerouslyTrustAnyCertificate: { value: true },
  }
  everyOption(TLS_OPTIONS, examples, (options) => {
    try {
      return prepareTls(options)
    } catch (error) {
      // A certificate without a key, or a key without its passphrase.
      const text = String(error)
      if (text.includes('has no effect')) throw error
      return text
    }
  })
})
