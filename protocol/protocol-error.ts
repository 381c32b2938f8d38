/**
 * An error at a position in a message. Each layer adds its part: the reader adds the byte offset,
 * the schema the field's path, the message its version. The text is composed when it is read.
 */
abstract class MessageError extends Error {
  /** The error, without its position. */
  readonly reason: string
  /** Byte offset in the frame or block that was read, if known. */
  readonly position: number | undefined
  /** Message and version, such as `Fetch response v12`. */
  context: string | undefined
  readonly #path: string[] = []

  constructor(reason: string, position?: number, options?: ErrorOptions) {
    super(undefined, options)
    this.reason = reason
    this.position = position
    Object.defineProperty(this, 'message', {
      get: () => this.#describe(),
      enumerable: false,
      configurable: true,
    })
  }

  /** The field, such as `responses[0].partitions[3].records`; empty at the top. */
  get path(): string {
    let path = ''
    for (const step of this.#path) path += step.startsWith('[') || path === '' ? step : `.${step}`
    return path
  }

  /** Prepends a step to the path. Called while the error passes through the enclosing fields. */
  within(step: string): this {
    this.#path.unshift(step)
    return this
  }

  #describe(): string {
    let text = this.context === undefined ? this.reason : `${this.context}: ${this.reason}`
    if (this.#path.length > 0) text += `, in ${this.path}`
    if (this.position !== undefined) text += `, at byte ${this.position}`
    return text
  }
}

/**
 * Bytes that violate Kafka's protocol: too short, a length beyond the end of the frame, a wrong
 * checksum, or a compressed block that exceeds its limit.
 */
export class ProtocolError extends MessageError {
  override readonly name = 'ProtocolError'
}

/**
 * A value that cannot be written: outside its type's range, null in a field that is not nullable,
 * or a field that the version does not have.
 */
export class EncodeError extends MessageError {
  override readonly name = 'EncodeError'
}

/** Prepends the step to the path of an error that has one; returns the error to throw. */
export function withStep(error: unknown, step: string): unknown {
  return error instanceof MessageError ? error.within(step) : error
}

/**
 * Adds the message's name and version to an error that has none yet; returns the error to throw.
 */
export function inMessage(error: unknown, context: string): unknown {
  if (error instanceof MessageError) error.context ??= context
  return error
}
