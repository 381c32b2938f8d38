import { Reader } from '../../../protocol/buffer/reader.ts'
import { consumerProtocolSubscription } from '../../../protocol/messages/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'

const VERSION_BYTES = 2

/**
 * The topics that a member's metadata subscribes to; none if the metadata is not a subscription.
 */
export function subscribedIn(metadata: Uint8Array): readonly string[] {
  const data = Buffer.from(metadata)
  if (data.length < VERSION_BYTES) return []
  const { max } = consumerProtocolSubscription.versions
  try {
    const version = Math.min(Math.max(0, data.readInt16BE(0)), max)
    return consumerProtocolSubscription.decode(new Reader(data, VERSION_BYTES), version).topics
  } catch (error) {
    if (error instanceof ProtocolError) return []
    throw error
  }
}
