import type { Spout } from '../component/spout.ts'
import { SpoutTask } from '../component/spout-task.ts'
import type { TupleId } from '../multilang/messages.ts'
import { Harness, type HarnessOptions, type Sent } from './harness.ts'

/** A spout that runs in this process. Created by `testSpout`. */
export class TestedSpout<Tested extends Spout> extends Harness<Tested> {
  constructor(spout: Tested, options: HarnessOptions) {
    super(spout, (one, place) => new SpoutTask(one, place), options)
  }

  /** Calls `nextTuple`, and resolves with what the spout has sent. */
  next(): Promise<Sent> {
    this.receive({ command: 'next' })
    return this.settled()
  }

  /** Acks a tuple of the spout. Resolves with what the spout has sent. */
  ack(id: TupleId): Promise<Sent> {
    this.receive({ command: 'ack', id })
    return this.settled()
  }

  /** Fails a tuple of the spout. Resolves with what the spout has sent. */
  fail(id: TupleId): Promise<Sent> {
    this.receive({ command: 'fail', id })
    return this.settled()
  }

  /** Activates the spout. Resolves with what the spout has sent. */
  activate(): Promise<Sent> {
    this.receive({ command: 'activate' })
    return this.settled()
  }

  /** Deactivates the spout. Resolves with what the spout has sent. */
  deactivate(): Promise<Sent> {
    this.receive({ command: 'deactivate' })
    return this.settled()
  }
}

/**
 * Runs a spout in this process, without Storm and with a fake clock. Resolves when it is
 * initialized.
 */
export async function testSpout<Tested extends Spout>(
  spout: Tested | (new () => Tested),
  options: HarnessOptions = {},
): Promise<TestedSpout<Tested>> {
  const tested = new TestedSpout(typeof spout === 'function' ? new spout() : spout, options)
  await tested.settled()
  return tested
}
