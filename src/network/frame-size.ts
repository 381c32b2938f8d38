/** The first two bytes of a TLS alert of any version: as a size, 352 MB. */
const TLS_ALERT = 0x1503

/** The cause of a closed connection whose next response is larger than `maxResponseBytes`. It will be so again. */
export class ResponseTooLarge extends Error {
  override readonly name = 'ResponseTooLarge'
}

/** Whether a frame may have this size: it is within bounds and not the beginning of a TLS alert. */
export function isFrameSize(size: number, maxFrameBytes: number): boolean {
  return size >= 0 && size <= maxFrameBytes && size >>> 16 !== TLS_ALERT
}

/** Describes bytes that cannot be the size of a Kafka frame, so that users do not need tcpdump. */
export function explainFrameSize(address: string, firstBytes: Buffer): string {
  const hex = firstBytes.toString('hex')
  if (/^[A-Z]{4}$/.test(firstBytes.toString('latin1'))) {
    const text = firstBytes.toString('latin1')
    const what = text === 'HTTP' ? 'is an HTTP server' : `speaks a text protocol ('${text}…')`
    return `${address} ${what}, not a Kafka broker: check host and port`
  }
  if (firstBytes.readUInt16BE(0) === TLS_ALERT) {
    return `${address} answered with a TLS alert: it requires TLS, which this client does not use for it`
  }
  const size = firstBytes.readInt32BE(0)
  return `${address} is not a Kafka broker, or is damaged: it sent a response of ${size} bytes (0x${hex}), more than the limit (maxResponseBytes)`
}
