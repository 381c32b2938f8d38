import { describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  all,
  BatchingBolt,
  Bolt,
  customGrouping,
  defineTopology,
  direct,
  directStream,
  fields,
  javaComponent,
  ReliableSpout,
  runLocally,
  Spout,
  stream,
  type Tuple,
  type TupleId,
} from '../../../src/storm/index.ts'

type Fields = { n: number }
const numbers = { default: stream<Fields>('n') }

class Numbers extends ReliableSpout<typeof numbers> {
  static readonly outputs = numbers
  readonly #count: number
  #next = 0
  constructor(count: number) {
    super()
    this.#count = count
  }
  override nextTuple(): void {
    if (this.#next < this.#count) this.emit({ n: this.#next }, { id: this.#next++ })
  }
}

class Double extends Bolt<Fields, typeof numbers> {
  static readonly outputs = numbers
  override async process({ fields: { n } }: Tuple<Fields>): Promise<void> {
    await Promise.resolve()
    this.emit({ n: 2 * n })
  }
}

const values = (emitted: readonly { readonly values: readonly unknown[] }[]): unknown[] =>
  emitted.map(({ values: [n] }) => n)

describe('a topology that runs in process', () => {
  it('carries all tuples through bolts, and acks those of the spout', async () => {
    class Task extends Double {
      static override readonly outputs = numbers
      override async process(tuple: Tuple<Fields>): Promise<void> {
        await super.process(tuple)
        this.emit({ n: this.taskId! })
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [100] } },
      bolts: {
        double: { component: Double, inputs: ['numbers'], parallelism: { default: 1, big: 3 } },
        tasks: { component: Task, inputs: { double: fields('n') }, parallelism: 2 },
      },
    })
    await using run = runLocally(topology, { environment: 'big' })
    await run.until(() => run.acked('numbers') === 100)
    const doubled = Array.from({ length: 100 }, (_, n) => 2 * n)
    expect(values(run.emitted('double')).sort((a, b) => Number(a) - Number(b))).toEqual(doubled)
    expect(run.emitted('tasks')).toHaveLength(200)
    expect(run.failed('numbers')).toBe(0)
  })

  it('sends tuples with the same fields to the same task, and each tuple to all', async () => {
    const seen: string[] = []
    class Note extends Bolt<Fields> {
      override process({ fields: { n } }: Tuple<Fields>): void {
        seen.push(`${this.componentName} ${n % 3} ${this.taskId}`)
      }
    }
    class Modulo extends Double {
      override process({ fields: { n } }: Tuple<Fields>): Promise<void> {
        this.emit({ n: n % 3 })
        return Promise.resolve()
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [30] } },
      bolts: {
        modulo: { component: Modulo, inputs: ['numbers'] },
        same: { component: Note, inputs: { modulo: fields('n') }, parallelism: 2 },
        every: { component: Note, inputs: { modulo: all() }, parallelism: 2 },
      },
    })
    await using run = runLocally(topology)
    await run.until(() => run.acked('numbers') === 30)
    const of = (name: string): string[] => seen.filter((line) => line.startsWith(name))
    expect(new Set(of('same')).size).toBe(3)
    expect(of('every')).toHaveLength(60)
    expect(new Set(of('every')).size).toBe(6)
  })

  it('emits to the named task, and returns the tasks that tuples went to', async () => {
    const outputs = { default: stream<Fields>('n'), to: directStream<Fields>('n') }
    const told: unknown[] = []
    class Router extends Bolt<Fields, typeof outputs> {
      static readonly outputs = outputs
      override async process({ fields: { n } }: Tuple<Fields>): Promise<void> {
        const targets = Object.entries(this.context['task->component']!)
          .filter(([, name]) => name === 'sink')
          .map(([id]) => Number(id))
        this.emit({ n }, { stream: 'to', directTask: targets[n % 2]! })
        told.push(await this.emit({ n }, { needTaskIds: true }))
      }
    }
    const at: number[][] = []
    class Sink extends Bolt<Fields> {
      override process({ fields: { n } }: Tuple<Fields>): void {
        at.push([n % 2, this.taskIds.indexOf(this.taskId!)])
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [4] } },
      bolts: {
        router: { component: Router, inputs: ['numbers'] },
        sink: { component: Sink, inputs: { 'router:to': direct() }, parallelism: 2 },
        other: { component: Double, inputs: ['router'] },
      },
    })
    await using run = runLocally(topology)
    await run.until(() => run.acked('numbers') === 4)
    expect(at.every(([parity, index]) => parity === index)).toBe(true)
    expect(at).toHaveLength(4)
    expect(told).toEqual(Array(4).fill([5]))
  })

  it('fails tuples that take longer than topology.message.timeout.secs, in fake time', async () => {
    class Stuck extends Bolt<Fields> {
      override autoAck = false
      override process(): void {
        // Neither acks nor fails.
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [3] } },
      bolts: { stuck: { component: Stuck, inputs: ['numbers'] } },
      config: { 'topology.message.timeout.secs': 10 },
    })
    await using run = runLocally(topology, { time: 'fake' })
    await run.advance(9_000)
    expect(run.failed('numbers')).toBe(0)
    await run.advance(2_000)
    expect(run.failed('numbers')).toBe(3)
    // The spout has emitted them again.
    expect(values(run.emitted('numbers'))).toEqual([0, 1, 2, 0, 1, 2])
  })

  it('sends ticks as often as the component is set to, in fake time', async () => {
    class Batches extends BatchingBolt<Fields, typeof numbers> {
      static readonly outputs = numbers
      override ticksBetweenBatches = 0
      override processBatch(_key: unknown, tuples: readonly Tuple<Fields>[]): void {
        this.emit({ n: tuples.length })
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [7] } },
      bolts: {
        batches: {
          component: Batches,
          inputs: ['numbers'],
          config: { 'topology.tick.tuple.freq.secs': 5 },
        },
      },
    })
    await using run = runLocally(topology, { time: 'fake' })
    await run.advance(4_999)
    expect(run.emitted('batches')).toEqual([])
    await run.advance(1)
    expect(values(run.emitted('batches'))).toEqual([7])
    expect(run.acked('numbers')).toBe(7)
  })

  it('has no more tuples of a spout in the topology than topology.max.spout.pending', async () => {
    let [pending, most] = [0, 0]
    class Counted extends Spout<typeof numbers> {
      static readonly outputs = numbers
      #next = 0
      override nextTuple(): void {
        pending += 1
        most = Math.max(most, pending)
        this.emit({ n: this.#next }, { id: this.#next++ })
      }
      override ack(_id: TupleId): void {
        pending -= 1
      }
    }
    class Slow extends Bolt<Fields> {
      override async process(): Promise<void> {
        await sleep(1)
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Counted } },
      bolts: { slow: { component: Slow, inputs: ['numbers'] } },
      config: { 'topology.max.spout.pending': 5 },
    })
    await using run = runLocally(topology)
    await run.until(() => run.acked('numbers') >= 30)
    expect(most).toBe(5)
  })

  it('stops with the error of a component that throws, and names it', async () => {
    class Broken extends Bolt<Fields> {
      override process({ fields: { n } }: Tuple<Fields>): void {
        if (n === 2) throw new RangeError('two is too much')
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [5] } },
      bolts: { broken: { component: Broken, inputs: ['numbers'] } },
    })
    await using run = runLocally(topology)
    const failure = await run.until(() => false).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'TOPOLOGY_FAILED', component: 'broken' })
    expect(String(failure)).toMatch(/broken: RangeError raised .*two is too much/s)
    expect(run.error).toBe(failure)
  })

  it('requests nothing from a spout while the topology is deactivated', async () => {
    const told: string[] = []
    class Told extends Numbers {
      override activate(): void {
        told.push('activate')
      }
      override deactivate(): void {
        told.push('deactivate')
      }
    }
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Told, args: [1_000_000] } },
      bolts: { double: { component: Double, inputs: ['numbers'] } },
    })
    await using run = runLocally(topology, { time: 'fake' })
    await run.advance(100)
    run.deactivate()
    await run.advance(5)
    const before = run.emitted('numbers').length
    expect(before).toBeGreaterThan(10)
    await run.advance(100)
    expect(run.emitted('numbers')).toHaveLength(before)
    run.activate()
    await run.advance(100)
    expect(run.emitted('numbers').length).toBeGreaterThan(before)
    expect(told).toEqual(['activate', 'deactivate', 'activate'])
  })

  it('keeps the process alive until it is stopped, also while its spouts wait', async () => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const run = runLocally(
      defineTopology({
        name: 'idle',
        spouts: {
          numbers: {
            component: class extends Numbers {
              constructor() {
                super(0)
              }
            },
          },
        },
        bolts: {},
      }),
    )
    expect(timers()).toBe(before + 1)
    await run.stop()
    expect(timers()).toBe(before)
  })

  it('shows what components log, and calls their close at the end', async () => {
    const closed: string[] = []
    class Logs extends Double {
      override process(tuple: Tuple<Fields>): Promise<void> {
        this.log(`took ${tuple.fields.n}`, 'warn')
        return super.process(tuple)
      }
      override close(): void {
        closed.push(this.componentName)
      }
    }
    const logged: unknown[] = []
    const topology = defineTopology({
      name: 'local',
      spouts: { numbers: { component: Numbers, args: [1] } },
      bolts: { logs: { component: Logs, inputs: ['numbers'] } },
    })
    const run = runLocally(topology, { onLog: (name, { message }) => logged.push([name, message]) })
    await run.until(() => run.acked('numbers') === 1)
    await run.stop()
    expect(logged).toEqual([['logs', 'took 0']])
    expect(closed).toEqual(['logs'])
  })

  it('rejects components that only Storm can run, by name', () => {
    const spouts = { numbers: { component: Numbers, args: [1] } } as const
    const grouped = defineTopology({
      name: 'local',
      spouts,
      bolts: { double: { component: Double, inputs: { numbers: customGrouping('a.B') } } },
    })
    expect(() => runLocally(grouped)).toThrow(/'double' groups 'numbers:default' with a Java class/)
    const java = javaComponent({ className: 'a.B', args: [], outputs: ['n'] })
    const foreign = defineTopology({
      name: 'local',
      spouts,
      bolts: { java: { component: java, inputs: ['numbers'] } },
    })
    expect(() => runLocally(foreign)).toThrow(/'java' is not written in JavaScript/)
  })
})
