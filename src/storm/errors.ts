/** What went wrong in a component or topology of Storm. */
export type StormErrorCode =
  /** A topology contradicts itself or names something that does not exist. */
  | 'INVALID_TOPOLOGY'
  /** What is emitted has the wrong length, an unknown stream or field, or a value that no serializer carries. */
  | 'INVALID_TUPLE'
  /** A method of a component is called where no topology runs it. */
  | 'NOT_RUNNING'
  /** Storm sent something that the protocol does not have. */
  | 'PROTOCOL'
  /** An option or an argument is wrong. */
  | 'INVALID_ARGUMENT'
  /** A package that is an optional peer is not installed. */
  | 'MISSING_PACKAGE'
  /** No Nimbus answers. */
  | 'NIMBUS_UNREACHABLE'
  /** Nimbus answers a call with an error of its own. */
  | 'NIMBUS_FAILED'
  /** Nimbus does not allow the call. */
  | 'NOT_AUTHORIZED'
  /** A topology of this name runs already. */
  | 'TOPOLOGY_EXISTS'
  /** No topology of this name runs. */
  | 'UNKNOWN_TOPOLOGY'
  /** The cluster has no free slot for the topology's workers. */
  | 'NO_FREE_SLOT'
  /** Java is not there, or too old. */
  | 'MISSING_JAVA'
  /** Storm's jars are not there. */
  | 'MISSING_STORM'
  /** A topology that ran in one JVM has ended by an error. */
  | 'TOPOLOGY_FAILED'

/** An error of `samsa/storm`. */
export class StormError extends Error {
  override readonly name = 'StormError'
  /** What went wrong. */
  readonly code: StormErrorCode
  /** The component that the error is about, where there is one. */
  readonly component: string | undefined

  constructor(code: StormErrorCode, message: string, component?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.component = component
  }
}
