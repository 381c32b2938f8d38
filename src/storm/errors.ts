export type StormErrorCode =
  /** A topology contradicts itself or names something that does not exist. */
  | 'INVALID_TOPOLOGY'
  /** What is emitted has the wrong length, an unknown stream or field, or a value that no serializer carries. */
  | 'INVALID_TUPLE'
  /** A method of a component is called where no topology runs it. */
  | 'NOT_RUNNING'
  /** Storm sent something that the multilang protocol does not have. */
  | 'PROTOCOL'
  /** An option or an argument is wrong. */
  | 'INVALID_ARGUMENT'
  /** A package that is an optional peer is not installed. */
  | 'MISSING_PACKAGE'

/** An error of `samsa/storm`. */
export class StormError extends Error {
  override readonly name = 'StormError'
  readonly code: StormErrorCode
  /** The component that the error is about, where there is one. */
  readonly component: string | undefined

  constructor(code: StormErrorCode, message: string, component?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.component = component
  }
}
