/** pystorm's tests of bolts (test_bolt.py), on the harness, and what they lack. */
import { describe, expect, it } from '@jest/globals'
import { BatchingBolt, Bolt, stream, testBolt, type Tuple } from '../../../src/storm/index.ts'

const CONTEXT = {
  'task->component': { 1: 'example-spout', 2: '__acker', 3: 'example-bolt1', 4: 'example-bolt2' },
  taskid: 3,
  componentid: 'example-bolt1',
}

class Recorder extends Bolt {
  readonly tuples: Tuple[] = []
  readonly ticks: Tuple[] = []
  act: (tuple: Tuple) => void | Promise<void> = () => undefined
  override process(tuple: Tuple): void | Promise<void> {
    this.tuples.push(tuple)
    return this.act(tuple)
  }
  override processTick(tuple: Tuple): void {
    this.ticks.push(tuple)
  }
}

describe('a bolt', () => {
  it('knows its topology, task and name', async () => {
    const conf = { 'topology.name': 'foo', 'topology.debug': true }
    const { component } = await testBolt(Recorder, {
      componentName: 'example-bolt1',
      conf,
      context: CONTEXT,
    })
    expect(component.topologyName).toBe('foo')
    expect(component.taskId).toBe(3)
    expect(component.taskIds).toEqual([3])
    expect(component.componentName).toBe('example-bolt1')
    expect(component.debug).toBe(true)
    expect(component.stormConf).toBe(conf)
  })

  it('emits with stream, anchors and direct task, and asks for task ids only on request', async () => {
    const bolt = await testBolt(Recorder, { taskIds: () => [7, 9] })
    const { component } = bolt
    let ids: unknown
    component.act = async () => {
      component.emit([1, 2, 3])
      component.emit([1], { stream: 'foo', anchors: [] })
      component.emit([1], { directTask: 4 })
      ids = [
        await component.emit([1], { directTask: 4, needTaskIds: true }),
        await component.emit([1], { needTaskIds: true }),
      ]
    }
    bolt.feed([1], { id: '14' })
    await bolt.settled()
    expect(bolt.messages.slice(0, 5)).toEqual([
      { command: 'emit', tuple: [1, 2, 3], anchors: ['14'], need_task_ids: false },
      { command: 'emit', tuple: [1], stream: 'foo', anchors: [], need_task_ids: false },
      { command: 'emit', tuple: [1], anchors: ['14'], task: 4, need_task_ids: false },
      { command: 'emit', tuple: [1], anchors: ['14'], task: 4, need_task_ids: false },
      { command: 'emit', tuple: [1], anchors: ['14'] },
    ])
    expect(ids).toEqual([[4], [7, 9]])
  })

  it('acks a tuple when it is processed, by tuple or id, and only once', async () => {
    const bolt = await testBolt(Recorder)
    expect((await bolt.process([1])).acked).toEqual(['1'])
    bolt.component.act = (tuple) => bolt.component.ack(tuple)
    expect((await bolt.process([1])).acked).toEqual(['2'])
    bolt.component.act = ({ id }) => bolt.component.fail(id)
    expect(await bolt.process([1])).toMatchObject({ acked: [], failed: ['3'] })
    // Storm ends the worker for what is acked twice.
    bolt.component.act = () => bolt.component.ack('3')
    const sent = await bolt.process([1])
    expect(sent.acked).toEqual(['4'])
    expect(sent.logs[0]!.message).toContain('already acked or failed')
  })

  it('acks nothing by itself without autoAck', async () => {
    const bolt = await testBolt(Recorder)
    bolt.component.autoAck = false
    expect((await bolt.process([1])).acked).toEqual([])
  })

  it('anchors to nothing by itself without autoAnchor, and to the given tuples', async () => {
    const bolt = await testBolt(Recorder)
    bolt.component.autoAnchor = false
    bolt.component.act = (tuple) => {
      bolt.component.emit([1])
      bolt.component.emit([2], { anchors: [tuple] })
    }
    const { emitted } = await bolt.process([1])
    expect(emitted.map(({ anchors }) => anchors)).toEqual([[], ['1']])
  })

  it('reports what process throws with its stack, fails the tuple and ends with code 1', async () => {
    const bolt = await testBolt(Recorder)
    bolt.component.act = () => {
      throw new RangeError('borkt', { cause: new Error('deeper') })
    }
    const sent = await bolt.process([1, 'cow'])
    expect(sent).toMatchObject({ acked: [], failed: ['1'] })
    expect(sent.errors[0]).toMatch(
      /RangeError raised while processing Tuple\(.*'cow'.*\)\nRangeError: borkt\n.*bolt\.test/s,
    )
    expect(sent.errors[0]).toContain('Caused by: Error: deeper')
    expect(bolt.exitCode).toBe(1)
    expect(bolt.messages.at(-2)).toEqual({ command: 'sync' })
  })

  it('fails nothing without autoFail, and continues without exitOnException', async () => {
    const bolt = await testBolt(Recorder)
    Object.assign(bolt.component, { autoFail: false, exitOnException: false })
    bolt.component.act = () => Promise.reject(new Error('borkt'))
    expect(await bolt.process([1])).toMatchObject({ failed: [], errors: [expect.any(String)] })
    expect(bolt.exitCode).toBeUndefined()
    bolt.component.act = () => undefined
    expect((await bolt.process([1])).acked).toEqual(['2'])
  })

  it('answers a heartbeat while its code awaits', async () => {
    const bolt = await testBolt(Recorder)
    let finish = (): void => undefined
    bolt.component.act = () => new Promise((resolve) => (finish = resolve))
    bolt.feed([1])
    bolt.feed([], { component: '__system', stream: '__heartbeat', task: -1 })
    expect(bolt.messages).toEqual([{ command: 'sync' }])
    finish()
    await bolt.settled()
    expect(bolt.sent.acked).toEqual(['1'])
  })

  it('passes ticks to processTick, and acks them', async () => {
    const bolt = await testBolt(Recorder)
    expect((await bolt.tick()).acked).toEqual(['1'])
    expect(bolt.component.ticks).toHaveLength(1)
    expect(bolt.component.tuples).toHaveLength(0)
  })

  it('reads tuples with all fields that Storm sends, and fields by name if it declares them', async () => {
    const bolt = await testBolt(Recorder)
    await bolt.process(
      { sentence: 'snow white', word: 'snow' },
      { component: 'spout', task: 9, id: '-69' },
    )
    await bolt.process(['x'], { component: 'other', stream: '1' })
    const [first, second] = bolt.component.tuples
    expect(first).toMatchObject({ id: '-69', component: 'spout', stream: 'default', task: 9 })
    expect(first!.values).toEqual(['snow white', 'snow'])
    expect(first!.fields).toEqual({ sentence: 'snow white', word: 'snow' })
    expect(() => second!.fields).toThrow('the field names of other:1 are not known')
  })

  it('processes one tuple at a time, in order, and knows the current tuple across awaits', async () => {
    const bolt = await testBolt(Recorder)
    const order: string[] = []
    bolt.component.act = async ({ id }) => {
      order.push(`begin ${id}`)
      await new Promise((resolve) => setImmediate(resolve))
      bolt.component.emit([id])
      order.push(`end ${id}`)
    }
    bolt.feed([1])
    bolt.feed([2])
    const { emitted, acked } = await bolt.settled()
    expect(order).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
    expect(emitted.map(({ anchors }) => anchors)).toEqual([['1'], ['2']])
    expect(acked).toEqual(['1', '2'])
  })

  it('refuses to emit for an acked tuple, which would end the worker', async () => {
    const bolt = await testBolt(Recorder)
    let late: unknown
    bolt.component.act = () => {
      setImmediate(() => {
        try {
          bolt.component.emit([1])
        } catch (error) {
          late = error
        }
      })
    }
    await bolt.process([1])
    await bolt.settled()
    expect(late).toMatchObject({ code: 'INVALID_TUPLE', component: 'Recorder' })
    expect(String(late)).toContain('await everything that process() starts')
  })

  it.each<[string, readonly unknown[] | object, string]>([
    ['too few values', ['a'], "emits 1 values to 'default', which has 2 (word, count)"],
    ['an unknown field', { word: 'a', cuont: 1 }, "emits 'cuont' to 'default'"],
    ['a missing field', { word: 'a' }, 'as count, undefined, which JSON cannot represent'],
    ['NaN', ['a', NaN], 'as count, NaN'],
    ['a bigint', ['a', 2n ** 60n], 'as count, a bigint'],
    ['bytes', ['a', Buffer.from('a')], 'as count, bytes: emit base64'],
    ['a Map', ['a', new Map()], 'as count, a Map'],
    ['a function inside', ['a', { f: () => 1 }], 'as count, function'],
  ])('refuses to emit %s, and names component, stream and field', async (_, values, message) => {
    class Counts extends Bolt {
      static readonly outputs = {
        default: stream<{ word: string; count: number }>('word', 'count'),
      }
      override process(): void {
        this.emit(values as readonly unknown[])
      }
    }
    const bolt = await testBolt(Counts, { componentName: 'counts' })
    const sent = await bolt.process([1])
    expect(sent.errors[0]).toContain('counts emits')
    expect(sent.errors[0]).toContain(message)
    expect(sent.failed).toEqual(['1'])
  })

  it('refuses to emit to a stream that it does not declare', async () => {
    class Counts extends Bolt {
      static readonly outputs = ['word']
      override process(): void {
        this.emit(['a'], { stream: 'sum' })
      }
    }
    const bolt = await testBolt(Counts)
    expect((await bolt.process([1])).errors[0]).toContain(
      "Counts emits to the stream 'sum', but declares default",
    )
  })

  it('refuses to emit before it runs', () => {
    expect(() => new Recorder().emit([1])).toThrow('the component is not running')
  })

  it('ends with code 1 when initialize throws, also without exitOnException', async () => {
    class Broken extends Recorder {
      override exitOnException = false
      override initialize(): Promise<void> {
        return Promise.reject(new Error('no database'))
      }
    }
    const bolt = await testBolt(Broken)
    expect(bolt.exitCode).toBe(1)
    expect(bolt.sent.errors[0]).toContain('no database')
  })

  it('logs that its code does not return', async () => {
    const bolt = await testBolt(Recorder, { conf: { 'topology.message.timeout.secs': 7 } })
    bolt.component.act = () => new Promise(() => undefined)
    bolt.feed([1])
    bolt.clock.advance(7_000)
    expect(bolt.sent.logs[0]!.message).toContain(
      'Recorder has been busy with tuple 1 of source:default for 7 s',
    )
  })

  it('logs by level, and reports metrics', async () => {
    const bolt = await testBolt(Recorder, { conf: { 'pystorm.log.level': 'warning' } })
    bolt.component.logger.info('not this')
    bolt.component.logger.error('this')
    bolt.component.log('I am a robot monkey.')
    bolt.component.log('I am a monkey that learned to talk.', 'warn')
    bolt.component.reportMetric('lag', 3)
    expect(bolt.messages).toEqual([
      { command: 'log', msg: 'this', level: 4 },
      { command: 'log', msg: 'I am a robot monkey.', level: 2 },
      { command: 'log', msg: 'I am a monkey that learned to talk.', level: 3 },
      { command: 'metrics', name: 'lag', params: 3 },
    ])
  })
})

class Batches extends BatchingBolt<{ n: number }, readonly string[], number> {
  readonly processed: [number | undefined, number[]][] = []
  key: (n: number) => number | undefined = () => undefined
  failAt = Infinity
  override groupKey(tuple: Tuple<{ n: number }>): number | undefined {
    return this.key(tuple.fields.n)
  }
  override processBatch(key: number | undefined, tuples: readonly Tuple<{ n: number }>[]): void {
    this.processed.push([key, tuples.map(({ fields: { n } }) => n)])
    if (this.processed.length === this.failAt) throw new Error('borkt')
    this.emit([tuples.length])
  }
}

/** pystorm's: two tuples, a tick, another tuple, a tick. */
async function feedAll(of: Awaited<ReturnType<typeof testBolt<Batches>>>): Promise<void> {
  await of.process({ n: 1 })
  await of.process({ n: 2 })
  await of.tick()
  await of.process({ n: 3 })
  await of.tick()
}

describe('a batching bolt', () => {
  it('processes its tuples at the tick after ticksBetweenBatches, anchors to all of them and acks them', async () => {
    const bolt = await testBolt(Batches)
    await feedAll(bolt)
    expect(bolt.component.processed).toEqual([[undefined, [1, 2, 3]]])
    expect(bolt.sent.emitted[0]!.anchors).toEqual(['1', '2', '4'])
    // Ticks are acked at once.
    expect(bolt.sent.acked).toEqual(['3', '5', '1', '2', '4'])
  })

  it('groups by key', async () => {
    const bolt = await testBolt(Batches)
    bolt.component.key = (n) => n % 2
    await feedAll(bolt)
    expect(bolt.component.processed).toEqual([
      [1, [1, 3]],
      [0, [2]],
    ])
  })

  it('acks only ticks without autoAck', async () => {
    const bolt = await testBolt(Batches)
    bolt.component.autoAck = false
    await feedAll(bolt)
    expect(bolt.sent.acked).toEqual(['3', '5'])
  })

  it('fails all tuples that are not processed when it ends, also those of later batches', async () => {
    const bolt = await testBolt(Batches)
    bolt.component.key = (n) => n
    bolt.component.failAt = 2
    await feedAll(bolt)
    expect(bolt.exitCode).toBe(1)
    expect(bolt.sent.acked).toEqual(['3', '5', '1'])
    expect(bolt.sent.failed).toEqual(['2', '4'])
  })

  it('fails nothing without autoFail', async () => {
    const bolt = await testBolt(Batches)
    bolt.component.failAt = 1
    bolt.component.autoFail = false
    await feedAll(bolt)
    expect(bolt.exitCode).toBe(1)
    expect(bolt.sent.failed).toEqual([])
  })

  it('fails only the current batch without exitOnException, and processes the others the next time', async () => {
    const bolt = await testBolt(Batches)
    Object.assign(bolt.component, { exitOnException: false, failAt: 2, key: (n: number) => n })
    await feedAll(bolt)
    expect(bolt.sent.failed).toEqual(['2'])
    await bolt.tick()
    await bolt.tick()
    expect(bolt.component.processed.at(-1)).toEqual([3, [3]])
    expect(bolt.sent.acked).toContain('4')
  })

  it('fails a tuple whose key function throws', async () => {
    const bolt = await testBolt(Batches)
    bolt.component.key = () => {
      throw new Error('no key')
    }
    expect((await bolt.process({ n: 1 })).failed).toEqual(['1'])
  })

  it('processes at an interval without ticks, again after a batch has failed', async () => {
    const bolt = await testBolt(Batches)
    Object.assign(bolt.component, { msBetweenBatches: 500, exitOnException: false, failAt: 1 })
    await bolt.process({ n: 1 })
    await bolt.advance(499)
    expect(bolt.component.processed).toEqual([])
    expect((await bolt.advance(1)).failed).toEqual(['1'])
    await bolt.process({ n: 2 })
    expect((await bolt.advance(500)).acked).toEqual(['2'])
  })

  it('processes by number and by bytes', async () => {
    const bolt = await testBolt(Batches)
    bolt.component.maxBatchTuples = 2
    await bolt.process({ n: 1 })
    expect((await bolt.process({ n: 2 })).acked).toEqual(['1', '2'])
    Object.assign(bolt.component, { maxBatchTuples: undefined, maxBatchBytes: 6 })
    await bolt.process({ n: 3 })
    expect((await bolt.process({ n: 4 })).acked).toEqual(['3', '4'])
  })

  it('answers heartbeats', async () => {
    const bolt = await testBolt(Batches)
    await bolt.heartbeat()
    expect(bolt.messages).toEqual([{ command: 'sync' }])
  })
})
