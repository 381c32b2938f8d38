/**
 * An error at a place in a message. Each layer adds what it knows: the reader knows the
 * position, the schema the field's path, the message its version. The text is put together when read.
 */
abstract class MessageError extends Error {
  /** What is wrong, without the place. */
  readonly reason: string
  /** Byte offset in the frame or block that was read, where it is known. */
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

  /** Puts one more step before the path: called while the error passes the fields that enclose it. */
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
 * Bytes that do not follow Kafka's protocol: too short, a length past the end of its frame, a checksum
 * that does not match, a compressed block past its ceiling.
 */
export class ProtocolError extends MessageError {
  override readonly name = 'ProtocolError'
}

/** A value that cannot be written: out of its type's range, null where none may be, or too new a field. */
export class EncodeError extends MessageError {
  override readonly name = 'EncodeError'
}

/** Adds the step to the path of an error that has one; returns the error to be thrown again. */
export function within(error: unknown, step: string): unknown {
  return error instanceof MessageError ? error.within(step) : error
}

/** Adds the message's name and version to an error that has none yet; returns it to be thrown again. */
export function inMessage(error: unknown, context: string): unknown {
  if (error instanceof MessageError) error.context ??= context
  return error
}
