/** A loop, a stream or `run` that reads. */
export interface Reading {
  /** Without it, `first` and `work` do nothing of their own. */
  readonly isWorkKnown: boolean
  /** The result of an iterator that begins the work of a loop's body. */
  first<T>(value: T): IteratorYieldResult<T>
  /** Calls what of the application's works on something that was read. */
  work<T>(call: () => T): T
  /** Others may read, although the application may be running still. */
  release(): void
  /** The application is not at work on what was read any more, or nothing is known of it. */
  end(): void
}
