import { ErrorCode, type ErrorName } from '../../protocol/errors.ts'

/** Why one record of a batch was rejected (KIP-467). */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

/**
 * A request, or a part of it, that is answered with an error code. It is not a failure of the
 * broker.
 */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly error: ErrorName
  readonly errorCode: number
  /** Additional fields of the response, if its version has them. */
  readonly detail: string | null
  readonly recordErrors: readonly RecordError[]

  constructor(
    error: ErrorName,
    detail: string | null = null,
    recordErrors: readonly RecordError[] = [],
  ) {
    super(detail === null ? error : `${error}: ${detail}`)
    this.error = error
    this.errorCode = ErrorCode[error]
    this.detail = detail
    this.recordErrors = recordErrors
  }
}

export type Outcome<T> =
  { readonly value: T; readonly refused: undefined } | { readonly refused: Refused }

/** Runs a function that may throw Refused; other errors are failures, and are thrown. */
export function outcomeOf<T>(run: () => T): Outcome<T> {
  try {
    return { value: run(), refused: undefined }
  } catch (error) {
    if (error instanceof Refused) return { refused: error }
    throw error
  }
}
