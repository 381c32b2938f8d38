import { KafkaError } from '../errors.ts'

/** The codes of an `EmbeddedClusterError`. */
export type EmbeddedClusterErrorCode =
  | 'PORT_IN_USE'
  | 'PORT_UNAVAILABLE'
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_UNUSABLE'
  | 'DATA_FOLDER_DAMAGED'

/**
 * The embedded cluster cannot start with the given ports or data folder; the message names the
 * remedy.
 */
export class EmbeddedClusterError extends KafkaError {
  override readonly name = 'EmbeddedClusterError'

  constructor(code: EmbeddedClusterErrorCode, message: string, cause?: unknown) {
    super(code, message, code === 'PORT_IN_USE' || code === 'DATA_FOLDER_IN_USE', { cause })
  }
}
