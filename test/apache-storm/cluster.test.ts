import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { isProcessAlive } from '../support/kafka/process-birth.ts'
import { describeWithStorm } from '../support/storm/describe-with-storm.ts'
import { SparseProject } from '../support/storm/sparse.ts'
import { StormCluster } from '../support/storm/storm-cluster.ts'

const TIMEOUT_MS = 900_000
const MESSAGES = 5_000

const NUMBERS = `
import { Bolt, defineTopology, ReliableSpout, runTopology, stream, type Tuple } from 'samsa/storm'

const numbers = { default: stream<{ n: number }>('n') }

class Numbers extends ReliableSpout<typeof numbers> {
  static readonly outputs = numbers
  #next = 0
  override nextTuple() {
    this.emit({ n: this.#next }, { id: this.#next++ })
  }
  override deactivate() {
    console.log('deactivated at', this.#next)
  }
  override activate() {
    console.log('activated at', this.#next)
  }
}

class Sink extends Bolt<{ n: number }> {
  override initialize() {
    console.log('a sink in process', process.pid)
  }
  override process({ fields: { n } }: Tuple<{ n: number }>) {
    if (n % 1000 === 0) console.log('number', n)
  }
}

runTopology(
  defineTopology({
    name: 'numbers',
    spouts: { numbers: { component: Numbers } },
    bolts: { sink: { component: Sink, inputs: ['numbers'], parallelism: { default: 1, prod: 2 } } },
    config: {
      'topology.max.spout.pending': 50,
      // Slow, so that figures do not depend on the machine.
      'topology.sleep.spout.wait.strategy.time.ms': 1,
    },
  }),
)
`

const FROM_KAFKA = `
import { appendFileSync } from 'node:fs'
import { Bolt, defineTopology, KafkaSpout, runTopology, type StormConf, type Tuple } from 'samsa/storm'

class Keep extends Bolt<{ value: string | null }> {
  override initialize() {
    appendFileSync(this.stormConf['test.results'] + '.pids', process.pid + '\\n')
  }
  override async process({ fields: { value } }: Tuple<{ value: string | null }>) {
    // As a call of another system would.
    if (Number(value) % 50 === 0) await new Promise((done) => setTimeout(done, 10))
    appendFileSync(String(this.stormConf['test.results']), value + '\\n')
  }
}

runTopology(
  defineTopology({
    name: 'keep',
    spouts: {
      messages: {
        component: KafkaSpout,
        args: [
          (conf: StormConf) => ({
            client: { hosts: String(conf['test.hosts']) },
            topic: 'in',
            consumerGroup: 'keep',
            group: { sessionTimeoutMs: 6000 },
          }),
        ],
      },
    },
    bolts: { keep: { component: Keep, inputs: ['messages'] } },
    config: { 'topology.max.spout.pending': 200, 'topology.message.timeout.secs': 30 },
  }),
)
`

/** Emits bytes, which only msgpack carries. The word tells which text of the file runs. */
const bytesTopology = (word: string): string => `
import { Bolt, defineTopology, runTopology, Spout, type Tuple } from 'samsa/storm'

class Bytes extends Spout {
  static readonly outputs = ['bytes']
  #isActive = false
  override activate() {
    console.log('${word} is active')
    this.#isActive = true
  }
  override async nextTuple() {
    if (this.#isActive) this.emit([Buffer.from([0, 128, 255])])
    this.#isActive = false
    await new Promise((done) => setTimeout(done, 20))
  }
}

class Take extends Bolt {
  override initialize() {
    console.log('${word} is ready')
  }
  override process({ values: [bytes] }: Tuple) {
    console.log('${word} took', bytes instanceof Uint8Array ? [...bytes].join('-') : bytes)
  }
}

runTopology(
  defineTopology({
    name: 'bytes',
    spouts: { bytes: { component: Bytes } },
    bolts: { take: { component: Take, inputs: ['bytes'] } },
    config: { 'topology.multilang.serializer': 'samsa.storm.MsgpackSerializer' },
  }),
)
`

/** Each notes what the cluster runs at that moment. */
const HOOKS = `
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'

interface Context {
  readonly topology: string
  readonly environment: string
  readonly options: Readonly<Record<string, unknown>>
}

function note(hook: string, { topology, environment, options }: Context) {
  const listed = execFileSync(process.execPath, [process.argv[1]!, 'list', '--json'])
  const running = (JSON.parse(listed.toString()) as { name: string }[]).map(({ name }) => name)
  const workers = options['topology.workers']
  appendFileSync('hooks.log', JSON.stringify({ hook, topology, environment, workers, running }) + '\\n')
}

export function preSubmit(context: Context) {
  if (context.options['test.refused'] === true) throw new Error('the freeze has begun')
  note('pre', context)
}

export async function postSubmit(context: Context) {
  await Promise.resolve()
  note('post', context)
}
`

describeWithStorm('sparse on a Storm cluster of ZooKeeper, Nimbus, Supervisor and workers', () => {
  let storm: StormCluster | undefined
  let project: SparseProject | undefined
  const started = (): { storm: StormCluster; project: SparseProject } => ({
    storm: storm!,
    project: project!,
  })

  beforeAll(async () => {
    storm = await StormCluster.start()
    const environment = { nimbus: storm.nimbus, storm_log_path: storm.logs }
    project = new SparseProject({
      'config.json': JSON.stringify({ envs: { prod: environment } }),
      'topologies/numbers.ts': NUMBERS,
      'topologies/keep.ts': FROM_KAFKA,
      'topologies/bytes.ts': bytesTopology('first'),
      'hooked.json': JSON.stringify({ hooks: 'hooks.ts', envs: { prod: environment } }),
      'hooks.ts': HOOKS,
    })
    const cluster = storm
    await cluster.until(async () => {
      const { exitCode, stdout } = await started().project.sparse(['slot_usage', '--json'])
      return exitCode === 0 && (JSON.parse(stdout.toString()) as unknown[]).length === 1
    }, 'the supervisor is known to Nimbus')
  }, TIMEOUT_MS)

  afterAll(async () => {
    project?.[Symbol.dispose]()
    await storm?.[Symbol.asyncDispose]()
  }, TIMEOUT_MS)

  it(
    'submits, lists, shows figures of, deactivates, activates, rebalances and kills a topology',
    async () => {
      const { storm, project } = started()
      await project.output(['submit', '-n', 'numbers', '-w', '1'])
      const list = async () =>
        (await project.json(['list'])) as readonly {
          readonly name: string
          readonly status: string
          readonly num_workers: number
          readonly num_tasks: number
        }[]
      expect(await list()).toMatchObject([{ name: 'numbers', status: 'ACTIVE' }])
      await storm.until(() => /name:sink number 1000/.test(storm.workerLogs()), 'it runs')
      // The parallelism of the environment: the spout, two sinks and the acker.
      expect(await list()).toMatchObject([{ num_workers: 1, num_tasks: 4 }])

      const acked = async (): Promise<number> => {
        const { components } = (await project.json(['stats', '-n', 'numbers'])) as {
          readonly components: readonly {
            readonly name: string
            readonly acked: number
            readonly failed: number
          }[]
        }
        return components.find(({ name }) => name === 'numbers')?.acked ?? 0
      }
      await storm.until(async () => (await acked()) > 1_000, 'statistics count what is acked')
      const table = await project.output(['stats', '-n', 'numbers', '-c', 'sink'])
      expect(table).toMatch(/WINDOW +TYPE +EXECUTORS/)
      expect(table).toMatch(/^all +bolt +2 +2/m)
      expect(await project.output(['worker_uptime'])).toMatch(/127\.0\.0\.1 +\d+ +numbers/)
      expect(await project.json(['slot_usage'])).toEqual([
        { host: '127.0.0.1', slots: 2, used: 1, topologies: { numbers: 1 } },
      ])
      expect(
        await project.output(['tail', '-n', 'numbers', '-l', '3', '--pattern', 'number']),
      ).toMatch(/number \d+000\n/)

      // A second one of the same name, and what does not run.
      const again = await project.sparse(['submit', '-n', 'numbers'])
      expect(again.exitCode).toBe(1)
      expect(again.stderr).toMatch(
        /the cluster already has a topology 'numbers' \(ACTIVE\): kill it first/,
      )
      const unknown = await project.sparse(['kill', '-n', 'nothing', '--json'])
      expect(unknown.exitCode).toBe(1)
      expect(JSON.parse(unknown.stdout.toString())).toMatchObject({
        error: {
          code: 'UNKNOWN_TOPOLOGY',
          message: expect.stringContaining('it has numbers'),
        },
      })

      await project.output(['deactivate', '-n', 'numbers'])
      await storm.until(() => storm.workerLogs().includes('deactivated at'), 'the spout is told')
      expect(await list()).toMatchObject([{ status: 'INACTIVE' }])
      const [, stoppedAt] = /deactivated at (\d+)/.exec(storm.workerLogs())!
      await project.output(['activate', '-n', 'numbers'])
      await storm.until(
        () => storm.workerLogs().includes(`activated at ${stoppedAt}`),
        'the spout continues where it was',
      )

      const badRebalance = await project.sparse(['rebalance', '-n', 'numbers', '-x', 'sinks=1'])
      expect(badRebalance.exitCode).toBe(2)
      expect(badRebalance.stderr).toContain("has no component 'sinks'; it has")
      await project.output(['rebalance', '-n', 'numbers', '-w', '2', '-x', 'sink=1', '--wait', '1'])
      await storm.until(async () => {
        const [one] = await list()
        return one?.status === 'ACTIVE' && one.num_workers === 2
      }, 'it has two workers')
      await storm.until(async () => {
        const usage = (await project.json(['slot_usage'])) as readonly { used: number }[]
        return usage[0]?.used === 2
      }, 'both slots are used')
      const full = await project.sparse(['submit', '-n', 'keep'])
      expect(full.exitCode).toBe(1)
      expect(full.stderr).toMatch(
        /'keep' was not submitted, because none of the cluster's 2 slots is free/,
      )

      await project.output(['kill', '-n', 'numbers', '--wait', '1', '--gone'])
      expect(await list()).toEqual([])
      await storm.until(() => storm.workerPids().length === 0, 'workers and components have ended')
    },
    TIMEOUT_MS,
  )

  it(
    'runs a topology that loses no message when a component is killed and Storm restarts it',
    async () => {
      const { storm, project } = started()
      const kafka = await EmbeddedCluster.start({ topics: { in: { partitions: 2 } } })
      try {
        await using client = new KafkaClient({ hosts: kafka.hosts })
        await using producer = await client.topic('in').getProducer()
        for (let n = 0; n < MESSAGES; n++) void producer.produce(`${n}`, { partition: n % 2 })
        await producer.flush()
        const results = join(project.path, 'results')
        const lines = (file: string): string[] =>
          existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
        await project.output([
          ...['submit', '-n', 'keep', '-w', '1'],
          ...['-o', `test.results=${results}`, '-o', `test.hosts=${kafka.hosts}`],
        ])
        await storm.until(() => lines(results).length > MESSAGES / 4, 'it is running')
        const [pid] = lines(`${results}.pids`).map(Number)
        process.kill(pid!, 'SIGKILL')
        const seen = (): Set<number> => new Set(lines(results).map(Number))
        await storm.until(() => seen().size === MESSAGES, 'each message has been processed')
        expect(lines(`${results}.pids`).length).toBeGreaterThan(1)
        const committed = async (): Promise<number> => {
          const [group] = await client.admin.listGroupOffsets(['keep'])
          return group!.offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
        }
        await storm.until(async () => (await committed()) === MESSAGES, 'all are committed')
        await project.output(['kill', '-n', 'keep', '--wait', '0', '--gone'])
        expect(isProcessAlive(pid!)).toBe(false)
      } finally {
        await kafka.stop()
      }
    },
    TIMEOUT_MS,
  )

  it(
    'submits with hooks, inactive, by force, with a given jar, and with msgpack; and removes logs',
    async () => {
      const { storm, project } = started()
      const list = async () =>
        (await project.json(['list'])) as readonly {
          readonly id: string
          readonly name: string
          readonly status: string
        }[]
      const taken = (word: string): number =>
        storm.workerLogs().split(`${word} took 0-128-255`).length - 1
      const hooked = ['submit', '-n', 'bytes', '-w', '1', '--config', 'hooked.json']

      const refused = await project.sparse([...hooked, '-o', 'test.refused=true'])
      expect(refused.exitCode).toBe(1)
      expect(refused.stderr).toContain('the freeze has begun')
      expect(await list()).toEqual([])

      await project.output([...hooked, '--inactive'])
      const notes = readFileSync(join(project.path, 'hooks.log'), 'utf8').trimEnd().split('\n')
      const seen = { topology: 'bytes', environment: 'prod', workers: 1 }
      expect(notes.map((line) => JSON.parse(line) as unknown)).toEqual([
        { hook: 'pre', ...seen, running: [] },
        { hook: 'post', ...seen, running: ['bytes'] },
      ])
      const [first] = await list()
      expect(first).toMatchObject({ name: 'bytes', status: 'INACTIVE' })
      // Storm starts no component before the topology is activated.
      const isLoaded = (): boolean =>
        new RegExp(`for storm ${first!.id} .*has finished loading`).test(storm.workerLogs())
      await storm.until(isLoaded, 'its worker runs')
      expect(storm.workerLogs()).not.toContain('first is')
      await project.output(['activate', '-n', 'bytes'])
      await storm.until(() => taken('first') === 1, 'its spout emits bytes')

      await project.output(['jar', '-n', 'bytes', '-O', 'first.jar'])
      project.write('topologies/bytes.ts', bytesTopology('second'))
      await project.output(['submit', '-n', 'bytes', '-w', '1', '--force', '--wait', '0'])
      await storm.until(() => taken('second') === 1, 'the new one runs')
      const again = await list()
      expect(again).toMatchObject([{ name: 'bytes', status: 'ACTIVE' }])
      expect(again[0]!.id).not.toBe(first!.id)

      project.write('topologies/bytes.ts', bytesTopology('third'))
      const jar = join(project.path, 'first.jar')
      const own = ['submit', '-n', 'bytes', '-w', '1']
      await project.output([...own, '-N', 'uploaded', '-j', 'first.jar'])
      await storm.until(() => taken('first') === 2, 'the given jar runs')
      await project.output(['kill', '-n', 'uploaded', '--wait', '0', '--gone'])
      await project.output([...own, '-N', 'there', '-R', jar])
      await storm.until(() => taken('first') === 3, "the jar on Nimbus's machine runs")
      expect(storm.workerLogs()).not.toContain('third is ready')

      const { id } = (await list()).find(({ name }) => name === 'there')!
      const logs = (): string[] =>
        readdirSync(join(storm.logs, 'workers-artifacts', id), {
          recursive: true,
          encoding: 'utf8',
        }).filter((name) => name.endsWith('worker.log'))
      expect(logs()).toHaveLength(1)
      const asked = await project.sparse(['remove_logs', '-n', 'there'])
      expect(asked.exitCode).toBe(2)
      expect(asked.stderr).toMatch(
        /the logs of there in \S+ on 127\.0\.0\.1 would be removed: use --yes/,
      )
      expect(logs()).toHaveLength(1)
      const removed = await project.json(['remove_logs', '-n', 'there', '--yes'])
      expect(removed).toEqual([{ host: '127.0.0.1', files: expect.any(Number) }])
      expect(logs()).toEqual([])

      for (const name of ['bytes', 'there']) {
        await project.output(['kill', '-n', name, '--wait', '0', '--gone'])
      }
      await storm.until(() => storm.workerPids().length === 0, 'workers and components have ended')
    },
    TIMEOUT_MS,
  )
})
