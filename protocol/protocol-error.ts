/**
 * Bytes that do not follow Kafka's protocol: too short, a length past the end of its frame, a checksum
 * that does not match, a compressed block past its ceiling.
 *
 * Whoever knows more adds to it on the way up: the reader knows the position, the schema the field's
 * path, the caller API and version. The message is put together when it is read.
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
  /** What is wrong, without the place. */
  readonly reason: string
  /** Byte offset in the frame or block that was read, where it is known. */
  readonly position: number | undefined
  /** API and version that were being read, such as `Fetch v12 response`. */
  context: string | undefined
  readonly #path: string[] = []

  constructor(reason: string, position?: number, options?: ErrorOptions) {
    super(reason, options)
    this.reason = reason
    this.position = position
    Object.defineProperty(this, 'message', {
      get: () => this.#describe(),
      enumerable: false,
      configurable: true,
    })
  }

  /** The field that was being read, such as `responses[0].partitions[3].records`; empty at the top. */
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
