import { KafkaError } from '../errors.ts'

/** What went wrong in an embedded cluster. */
export type EmbeddedClusterErrorCode =
  | 'PORT_IN_USE'
  | 'PORT_UNAVAILABLE'
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_UNUSABLE'
  | 'DATA_FOLDER_DAMAGED'

/** The embedded cluster can't start where it was told to: the message says what to do. */
export class EmbeddedClusterError extends KafkaError {
  override readonly name = 'EmbeddedClusterError'

  constructor(code: EmbeddedClusterErrorCode, message: string, cause?: unknown) {
    super(code, message, code === 'PORT_IN_USE' || code === 'DATA_FOLDER_IN_USE', { cause })
  }
}
