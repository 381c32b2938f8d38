import type { Bolt } from '../component/bolt.ts'
import { BoltTask } from '../component/bolt-task.ts'
import { DEFAULT_STREAM } from '../component/outputs.ts'
import { Harness, type HarnessOptions, type Sent } from './harness.ts'

/** The origin of a tuple that a test feeds. */
export interface FedFrom {
  /** Default: source. */
  readonly component?: string
  /** Default: default. */
  readonly stream?: string
  /** Default: 2. */
  readonly task?: number
  /** Default: a number that counts up from 1. */
  readonly id?: string
}

type FieldNames = Record<string, Record<string, readonly string[]>>

/** A bolt that runs in this process. Created by `testBolt`. */
export class TestedBolt<Tested extends Bolt<never>> extends Harness<Tested> {
  readonly #names: FieldNames
  #lastId = 0

  constructor(bolt: Tested, options: HarnessOptions) {
    // The fed tuples determine the names of the fields.
    const names: FieldNames = {}
    const context = { 'source->stream->fields': names, ...options.context }
    // A bolt accepts the values that it is fed: their types are not known in advance.
    super(bolt, (one, place) => new BoltTask(one, place), {
      ...options,
      context,
    })
    this.#names = names
  }

  /**
   * Feeds a tuple, with its values by field name or in order. Resolves with what the bolt has sent
   * when the tuple is processed.
   */
  process(values: object, from: FedFrom = {}): Promise<Sent> {
    this.feed(values, from)
    return this.settled()
  }

  /** Feeds a tuple without waiting; returns its id. */
  feed(values: object, from: FedFrom = {}): string {
    const { component = 'source', stream = DEFAULT_STREAM, task = 2 } = from
    const { id = String(++this.#lastId) } = from
    const isList = Array.isArray(values)
    if (!isList) (this.#names[component] ??= {})[stream] = Object.keys(values)
    const tuple: readonly unknown[] = isList ? values : Object.values(values)
    // A copy, as Storm would send it.
    const carried = JSON.parse(JSON.stringify(tuple)) as readonly unknown[]
    this.receive({ id, comp: component, stream, task, tuple: carried })
    return id
  }

  /** Feeds a tick tuple. */
  tick(): Promise<Sent> {
    return this.process([1], { component: '__system', stream: '__tick', task: -1 })
  }

  /** Sends a heartbeat, as Storm does. */
  heartbeat(): Promise<Sent> {
    return this.process([], { component: '__system', stream: '__heartbeat', task: -1 })
  }
}

/**
 * Runs a bolt in this process, without Storm and with a fake clock. Resolves when it is
 * initialized.
 */
export async function testBolt<Tested extends Bolt<never>>(
  bolt: Tested | (new () => Tested),
  options: HarnessOptions = {},
): Promise<TestedBolt<Tested>> {
  const tested = new TestedBolt(typeof bolt === 'function' ? new bolt() : bolt, options)
  await tested.settled()
  return tested
}
