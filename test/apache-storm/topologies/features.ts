/** Failed tuples, ticks, named and direct streams: what the components do is written to the file `test.results`. */
import { appendFileSync } from 'node:fs'
import {
  BatchingBolt,
  Bolt,
  defineTopology,
  direct,
  directStream,
  ReliableSpout,
  runTopology,
  stream,
  type Tuple,
  type TupleId,
} from '../../../src/storm/index.ts'

const COUNT = 20
type Fields = { n: number }
const note = (of: Bolt | ReliableSpout, ...what: readonly unknown[]): void =>
  appendFileSync(of.stormConf['test.results'] as string, `${JSON.stringify(what)}\n`)

class Numbers extends ReliableSpout {
  static readonly outputs = { default: stream<Fields>('n') }
  #next = 0
  override nextTuple(): void {
    if (this.#next < COUNT) this.emit([this.#next], { id: this.#next++ })
  }
  override ack(id: TupleId): void {
    note(this, 'acked', id)
    void super.ack(id)
  }
}

const routed = { odd: stream<Fields>('n'), direct: directStream<Fields>('n') }

/** Fails each number the first time. */
class Router extends Bolt<Fields, typeof routed> {
  static readonly outputs = routed
  readonly #seen = new Set<number>()
  #targets: readonly number[] = []
  override initialize(): void {
    this.#targets = Object.entries(this.context['task->component'] ?? {})
      .filter(([, name]) => name === 'targets')
      .map(([id]) => Number(id))
      .sort((a, b) => a - b)
  }
  override async process(tuple: Tuple<Fields>): Promise<void> {
    const { n } = tuple.fields
    if (!this.#seen.has(n)) {
      this.#seen.add(n)
      this.fail(tuple)
      return
    }
    const directTask = this.#targets[n % this.#targets.length]!
    this.emit({ n }, { stream: 'direct', directTask })
    if (n % 2 === 1) {
      const tasks = await this.emit({ n }, { stream: 'odd', needTaskIds: true })
      note(this, 'tasks', tasks.length)
    }
  }
}

class Targets extends Bolt<Fields> {
  override process({ fields: { n } }: Tuple<Fields>): void {
    note(this, 'direct', n, this.taskIds.indexOf(this.taskId!))
  }
}

class Batches extends BatchingBolt<Fields> {
  override ticksBetweenBatches = 0
  override processBatch(_key: unknown, tuples: readonly Tuple<Fields>[]): void {
    note(this, 'batch', ...tuples.map(({ fields: { n } }) => n))
  }
}

runTopology(
  defineTopology({
    name: 'features',
    spouts: { numbers: { component: Numbers } },
    bolts: {
      router: { component: Router, inputs: ['numbers'] },
      targets: { component: Targets, inputs: { 'router:direct': direct() }, parallelism: 2 },
      batches: {
        component: Batches,
        inputs: ['router:odd'],
        config: { 'topology.tick.tuple.freq.secs': 1 },
      },
    },
  }),
)
