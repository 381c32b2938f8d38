/** A loop, a stream or `run` that reads. */
export interface Reading {
  /** If false, `first` and `work` only pass on what they get. */
  readonly isWorkKnown: boolean
  /** The result of an iterator that begins the work of a loop's body. */
  first<T>(value: T): IteratorYieldResult<T>
  /** Calls application code that processes something that was read. */
  work<T>(call: () => T): T
  /** Allows other readers, although the application may still be processing. */
  release(): void
  /** The application no longer processes what was read, or its work is not tracked. */
  end(): void
}
