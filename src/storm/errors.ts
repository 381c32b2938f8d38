/** The codes of errors of Storm's components and topologies. */
export type StormErrorCode =
  /** A topology contradicts itself or names something that does not exist. */
  | 'INVALID_TOPOLOGY'
  /**
   * An emitted tuple has the wrong length, an unknown stream or field, or a value that no
   * serializer supports.
   */
  | 'INVALID_TUPLE'
  /** A method of a component was called while no topology runs it. */
  | 'NOT_RUNNING'
  /** Storm sent a message that the protocol does not define. */
  | 'PROTOCOL'
  /** An option or an argument is invalid. */
  | 'INVALID_ARGUMENT'
  /** A package that is an optional peer is not installed. */
  | 'MISSING_PACKAGE'
  /** No Nimbus responds. */
  | 'NIMBUS_UNREACHABLE'
  /** Nimbus answered a call with an error of its own. */
  | 'NIMBUS_FAILED'
  /** Nimbus does not allow the call. */
  | 'NOT_AUTHORIZED'
  /** A topology with this name is already running. */
  | 'TOPOLOGY_EXISTS'
  /** No topology with this name is running. */
  | 'UNKNOWN_TOPOLOGY'
  /** The cluster has no free slot for the topology's workers. */
  | 'NO_FREE_SLOT'
  /** Java is not installed, or too old. */
  | 'MISSING_JAVA'
  /** Storm's jars are not installed. */
  | 'MISSING_STORM'
  /** A topology that ran in one JVM ended with an error. */
  | 'TOPOLOGY_FAILED'

/** An error of `samsa/storm`. */
export class StormError extends Error {
  override readonly name = 'StormError'
  /** The code of the error. */
  readonly code: StormErrorCode
  /** The component that the error concerns, if there is one. */
  readonly component: string | undefined

  constructor(code: StormErrorCode, message: string, component?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.component = component
  }
}
