/** The settings in docker-compose.yml, given to the programs that the images run. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KafkaClient } from '../../src/index.ts'
import { composeBrokers, composeServices, type ComposeBroker } from '../support/compose.ts'
import { startKafka } from '../support/kafka/cluster.ts'
import { kafkaLibs } from '../support/kafka/download.ts'
import { JavaProcess } from '../support/kafka/java.ts'
import { loggingArguments } from '../support/kafka/logging.ts'
import { freePorts } from '../support/kafka/ports.ts'
import { kafkaVersion } from '../support/kafka/versions.ts'
import { startZooKeeper } from '../support/kafka/zookeeper.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'
import { runJava } from '../wire/support/run-java.ts'

const TIMEOUT_MS = 120_000
const brokers = composeBrokers()
const withRoles = brokers.filter(({ settings }) => 'process.roles' in settings)
const versionOf = ({ service }: ComposeBroker): string => service.image.split(':')[1]!

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samsa-compose-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The settings in zoo.cfg that the image of ZooKeeper writes of its variables. */
const ZOOKEEPER_SETTINGS: Readonly<Record<string, string>> = {
  ZOO_4LW_COMMANDS_WHITELIST: '4lw.commands.whitelist',
  ZOO_ADMINSERVER_ENABLED: 'admin.enableServer',
  ZOO_MAX_CLIENT_CNXNS: 'maxClientCnxns',
}

/** What a ZooKeeper answers to a word of four letters. */
async function answerTo(word: string, port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(word)
  return (await socket.setEncoding('utf8').toArray()).join('')
}

const known = new Map<string, Promise<readonly string[]>>()

/** The names of all settings that a version of Kafka has. */
function settingsOf(version: string): Promise<readonly string[]> {
  const names = known.get(version) ?? readSettings(version)
  known.set(version, names)
  return names
}

async function readSettings(version: string): Promise<readonly string[]> {
  const jars = await kafkaLibs(version)
  const output = await runJava('test/kafka/java/ConfigNames.java', jars, Buffer.alloc(0))
  return output.toString().match(/(?<=^name ).+/gm)!
}

/** The exit code of a broker's health check, with another port. */
async function health({ service }: ComposeBroker, port: number): Promise<unknown> {
  const [kind, command, ...rest] = service.healthcheck.test as readonly string[]
  expect([kind, command]).toEqual(['CMD', 'bash'])
  const moved = rest.map((part) =>
    part.replace(/\/dev\/tcp\/127\.0\.0\.1\/\d+/, `/dev/tcp/127.0.0.1/${port}`),
  )
  const [code] = (await once(spawn(command!, moved, { stdio: 'ignore' }), 'exit')) as [unknown]
  return code
}

describeWithBrokers('docker-compose.yml', ['java'], () => {
  it.each(brokers)(
    'gives broker $name no setting that its Kafka lacks',
    async (broker) => {
      const names = await settingsOf(versionOf(broker))
      // A listener's own settings have its name in front; none is used here.
      expect(Object.keys(broker.settings).filter((name) => !names.includes(name))).toEqual([])
    },
    TIMEOUT_MS,
  )

  it.each(withRoles)(
    'gives broker $name what the image needs to write its settings and format its data',
    async (broker) => {
      const [defaults, mounted, final, data] = ['defaults', 'mounted', 'final', 'data'].map((one) =>
        join(folder, broker.name, one),
      ) as [string, string, string, string]
      for (const one of [defaults, mounted, final]) await mkdir(one, { recursive: true })
      const jars = await kafkaLibs(versionOf(broker))
      const wrapper = ['kafka.docker.KafkaDockerWrapper', 'setup', '-D', defaults, '-M', mounted]
      const environment = Object.fromEntries(
        Object.entries(broker.service.environment).map(([name, value]) => [name, String(value)]),
      )
      const env = { ...process.env, ...environment, KAFKA_LOG_DIRS: data }
      const java = ['-cp', join(jars, '*'), ...wrapper, '-F', final]
      await promisify(execFile)('java', java, { env })
      const written = (await readFile(join(final, 'server.properties'), 'utf8')).trim().split('\n')
      const wanted = Object.entries({ ...broker.settings, 'log.dirs': data })
      expect(written.sort()).toEqual(wanted.map(([name, value]) => `${name}=${value}`).sort())
      const meta = await readFile(join(data, 'meta.properties'), 'utf8')
      expect(meta).toContain(`cluster.id=${broker.service.environment['CLUSTER_ID']}`)
      expect(meta).toContain(`node.id=${broker.settings['node.id']}`)
    },
    TIMEOUT_MS,
  )

  it(
    'has a health check that the Kafka of its cluster passes',
    async () => {
      const [broker] = withRoles
      await using kafka = await startKafka({ version: versionOf(broker!) })
      expect(await health(broker!, kafka.ports[0]!)).toBe(0)
    },
    TIMEOUT_MS,
  )

  it(
    'gives ZooKeeper settings with which it answers its health check',
    async () => {
      const { environment, healthcheck } = composeServices()['zookeeper']!
      const config = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => {
          if (ZOOKEEPER_SETTINGS[name] === undefined) throw new Error(`what is ${name}?`)
          return [ZOOKEEPER_SETTINGS[name], String(value)]
        }),
      )
      expect(healthcheck.test).toEqual([
        'CMD-SHELL',
        'echo ruok | nc -w 2 127.0.0.1 2181 | grep -q imok',
      ])
      const own = join(folder, 'zookeeper')
      await mkdir(own)
      const [port] = (await freePorts(1)) as [number]
      const zookeeper = await startZooKeeper({ folder: own, port, config })
      try {
        expect(await answerTo('ruok', port)).toBe('imok')
        expect(await answerTo('stat', port)).toContain('not in the whitelist')
      } finally {
        await zookeeper.stop()
      }
    },
    TIMEOUT_MS,
  )

  it(
    'starts Kafka 3.9 on ZooKeeper by its command, whose health check passes only while it serves clients',
    async () => {
      const broker = brokers.find(({ settings }) => 'zookeeper.connect' in settings)!
      const own = join(folder, broker.name)
      await mkdir(own, { recursive: true })
      const [zookeeperPort, port, internal] = (await freePorts(3)) as [number, number, number]
      const zookeeper = await startZooKeeper({ folder: own, port: zookeeperPort })
      await writeFile(join(own, 'server.properties'), '')
      const [script, , ...overrides] = broker.service.command!
      expect(script).toBe('/opt/kafka/bin/kafka-server-start.sh')
      // The addresses of the containers, as addresses of this machine.
      const moved = overrides.map((one) =>
        one
          .replace('=zookeeper:2181', `=127.0.0.1:${zookeeperPort}`)
          .replace(/HOST:\/\/[\d.]*:\d+/, `HOST://127.0.0.1:${port}`)
          .replace(/INTERNAL:\/\/[\w-]*:\d+/, `INTERNAL://127.0.0.1:${internal}`)
          .replace(/=\/var\/.*/, `=${join(own, 'logs')}`),
      )
      const version = versionOf(broker)
      const java = new JavaProcess({
        name: broker.name,
        libs: await kafkaLibs(version),
        mainClass: 'kafka.Kafka',
        arguments: ['server.properties', ...moved],
        jvmArguments: await loggingArguments(kafkaVersion(version).logging, own),
        folder: own,
        logFile: join(own, 'broker.log'),
      })
      try {
        expect(await health(broker, internal)).not.toBe(0)
        await until(async () => {
          if (java.ended !== undefined) throw new Error(java.logTail())
          return (await health(broker, internal)) === 0
        })
        const zookeeperHosts = `127.0.0.1:${zookeeperPort}/kafka`
        await using client = new KafkaClient({ zookeeperHosts })
        const found = await client.brokers.list()
        expect(found.map(({ id, port: theirs }) => [id, theirs])).toEqual([[1, port]])
        await using producer = await client.topic('t').getProducer()
        expect((await producer.produce('v')).offset).toBe(0)
      } finally {
        await java.stop()
        await zookeeper.stop()
      }
      expect(await health(broker, internal)).not.toBe(0)
    },
    TIMEOUT_MS,
  )
})
