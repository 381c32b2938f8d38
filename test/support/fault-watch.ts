/**
 * Fails each test that sets up a fault which no request meets: such a test passes whether or not the code
 * survives the fault. Jest loads this file before each test file (jest.config.js).
 */
import { afterAll, afterEach } from '@jest/globals'
import { inspect } from 'node:util'
import { FaultList, type Fault } from '../../src/embedded/faults/fault-list.ts'

interface WatchedFault {
  readonly fault: Fault
  /** Where it was set up. */
  readonly origin: Error
}

/** Faults of embedded clusters and ZooKeepers, from when they are set up to the end of their test. */
export class FaultWatch {
  readonly #watched = new Set<WatchedFault>()
  readonly #optional = new WeakSet<Fault>()

  add(fault: Fault, description: string): void {
    const origin = new Error(`a fault never fired: ${description}`)
    this.#watched.add({ fault, origin })
  }

  /** The fault belongs to a test that is right without it, too. */
  allowUnfired(fault: Fault): void {
    this.#optional.add(fault)
  }

  /** Ends the watch. Throws the first error of those that never fired. */
  check(): void {
    const unfired = [...this.#watched].filter(
      ({ fault }) => fault.hits === 0 && !this.#optional.has(fault),
    )
    this.#watched.clear()
    const [first] = unfired
    if (first !== undefined) throw first.origin
  }
}

const watch = new FaultWatch()

/** Declares that a test may end before any request meets the fault, as in a random order of events. */
export function mayNotFire(fault: Fault): Fault {
  watch.allowUnfired(fault)
  return fault
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
const { add } = FaultList.prototype

FaultList.prototype.add = function (match: { readonly times?: number }, action: unknown) {
  const fault = add.call(this, match, action)
  watch.add(fault, inspect({ match, action }, { breakLength: Infinity }))
  return fault
}

afterEach(() => watch.check())
// Those that are set up before or after all tests of a file.
afterAll(() => watch.check())
