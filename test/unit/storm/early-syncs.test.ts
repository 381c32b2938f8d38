/** A spout behind two pipes, as Storm's executor drives it: each side runs when the test lets it. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { systemClock } from '../../../src/storm/component/clock.ts'
import { SpoutTask } from '../../../src/storm/component/spout-task.ts'
import { Spout, type TupleId } from '../../../src/storm/index.ts'
import type { Outgoing, SpoutCommand } from '../../../src/storm/multilang/messages.ts'

const ACKERS = { 'topology.acker.executors': 1 }

class Numbers extends Spout {
  readonly settled: string[] = []
  readonly perNext: number
  last = 0

  constructor(perNext: number) {
    super()
    this.perNext = perNext
  }

  override nextTuple(): void {
    for (let count = 0; count < this.perNext; count++) this.emit([1], { id: ++this.last })
  }

  override ack(id: TupleId): void {
    this.settled.push(`ack ${id}`)
  }

  override fail(id: TupleId): void {
    this.settled.push(`fail ${id}`)
  }

  override deactivate(): void {
    this.settled.push('deactivate')
  }
}

/** The same loop as in Storm's SpoutExecutor and ShellSpout, in steps. */
class PipedStorm {
  readonly spout: Numbers
  readonly #task: SpoutTask
  readonly #maxPending: number
  readonly #commands: SpoutCommand[] = []
  readonly #messages: Outgoing[] = []
  /** What the acker has sent, and Storm's executor has not taken yet. */
  readonly #results: SpoutCommand[] = []
  readonly #withBolts: TupleId[] = []
  readonly #pending = new Set<TupleId>()
  #isWaiting = false
  #isActive = true
  readonly read: TupleId[] = []
  readonly sent: string[] = []
  mostPending = 0

  constructor(perNext: number, maxPending: number, conf: Record<string, unknown> = ACKERS) {
    this.spout = new Numbers(perNext)
    this.#maxPending = maxPending
    this.#task = new SpoutTask(this.spout, {
      componentName: 'numbers',
      conf: { ...conf, 'topology.max.spout.pending': maxPending },
      context: {},
      pid: 1,
      clock: systemClock,
      logger: { debug: fail, info: fail, warn: fail, error: fail },
      isPipe: true,
      send: (message) => this.#messages.push(message),
      problemWith: () => undefined,
      exit: fail,
    })
    this.#task.start()
  }

  get pending(): number {
    return this.#pending.size
  }

  get unread(): readonly Outgoing[] {
    return this.#messages
  }

  /** Storm reads one message, or sends one command. Returns false if it can do neither. */
  storm(): boolean {
    if (!this.#isWaiting) return this.#command()
    const message = this.#messages.shift()
    if (message === undefined) return false
    if ('command' in message && message.command === 'sync') this.#isWaiting = false
    if ('command' in message && message.command === 'emit') {
      this.read.push(message.id!)
      this.#pending.add(message.id!)
      this.#withBolts.push(message.id!)
      this.mostPending = Math.max(this.mostPending, this.#pending.size)
    }
    return true
  }

  /** The process handles one command. */
  process(): boolean {
    const command = this.#commands.shift()
    if (command !== undefined) this.#task.receive(command)
    return command !== undefined
  }

  /** The bolts finish the oldest tuple. */
  bolts(command: 'ack' | 'fail'): boolean {
    const id = this.#withBolts.shift()
    if (id !== undefined) this.#results.push({ command, id })
    return id !== undefined
  }

  deactivate(): void {
    this.#isActive = false
    this.#results.push({ command: 'deactivate' })
  }

  runOut(): void {
    while (this.storm() || this.process() || this.bolts('ack'));
  }

  #command(): boolean {
    const result = this.#results.shift()
    if (result !== undefined) {
      if ('id' in result) this.#pending.delete(result.id)
      this.sent.push('id' in result ? `${result.command} ${result.id}` : result.command)
      return this.#send(result)
    }
    return (
      this.#isActive && this.#pending.size < this.#maxPending && this.#send({ command: 'next' })
    )
  }

  #send(command: SpoutCommand): boolean {
    this.#commands.push(command)
    this.#isWaiting = true
    return true
  }
}

function fail(): never {
  throw new Error('the spout logs nothing and does not end')
}

/** Runs until as many tuples are with the bolts as Storm allows. */
function filled(storm: PipedStorm): PipedStorm {
  while (storm.storm() || storm.process());
  return storm
}

/** How many acks Storm can send while the process does nothing. */
function acksWithoutAnswer(storm: PipedStorm): number {
  const before = storm.sent.length
  while (storm.bolts('ack'));
  while (storm.storm());
  return storm.sent.length - before
}

describe('a spout with many tuples in the topology', () => {
  it('has answered 64 acks before Storm sends them', () => {
    const storm = filled(new PipedStorm(20, 1_000))
    expect(storm.pending).toBe(1_000)
    // The first is answered when it has arrived, and shows that acks come.
    expect(acksWithoutAnswer(storm)).toBe(1)
    storm.process()
    expect(acksWithoutAnswer(storm)).toBe(1 + 64)
  })

  it.each([
    ['there are few tuples', 7, ACKERS],
    ['there are no ackers, which ack within the emit', 1_000, { 'topology.acker.executors': 0 }],
  ])('answers each ack after it has arrived when %s', (_case, maxPending, conf) => {
    const storm = filled(new PipedStorm(7, maxPending, conf))
    for (let count = 0; count < 3; count++) {
      expect(acksWithoutAnswer(storm)).toBe(1)
      storm.process()
    }
  })

  it('is read to the end when the topology is deactivated, in any order of events', () => {
    const step = fc.constantFrom(
      ...(['storm', 'storm', 'storm', 'process', 'process', 'ack', 'ack', 'fail'] as const),
    )
    const steps = fc.array(fc.record({ step, times: fc.integer({ min: 1, max: 60 }) }), {
      maxLength: 60,
    })
    const perNext = fc.integer({ min: 1, max: 30 })
    const maxPending = fc.integer({ min: 1, max: 600 })
    fc.assert(
      fc.property(perNext, maxPending, steps, (perNext, maxPending, steps) => {
        const storm = filled(new PipedStorm(perNext, maxPending))
        for (const { step, times } of steps) {
          for (let count = 0; count < times; count++) {
            if (step === 'storm') storm.storm()
            else if (step === 'process') storm.process()
            else storm.bolts(step)
          }
        }
        storm.deactivate()
        storm.runOut()
        const { spout } = storm
        expect(storm.pending).toBe(0)
        expect(storm.unread).toEqual([])
        expect(storm.read).toEqual(Array.from({ length: spout.last }, (_, index) => index + 1))
        expect(spout.settled).toEqual(storm.sent)
        expect(storm.mostPending).toBeLessThan(maxPending + perNext)
      }),
      { numRuns: 200 },
    )
  })
})
