import { Deadline } from '../../src/async/deadline.ts'
import { PATIENCE_MS } from './patience.ts'

/** A deadline that a test sets when something has happened, which may take any time on a busy machine. */
export class LateDeadline extends Deadline {
  #end = Infinity

  constructor() {
    super(PATIENCE_MS)
  }

  override get remainingMs(): number {
    return Math.max(0, Math.min(super.remainingMs, this.#end - performance.now()))
  }

  endIn(ms: number): void {
    this.#end = performance.now() + ms
  }
}
