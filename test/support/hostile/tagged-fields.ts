/** Fields of a response that no reader knows (KIP-482). */
import type { Encodable, Fields } from '../../../protocol/schema/fields.ts'
import type { Api } from '../../../protocol/schema/api.ts'
import { encodeResponse } from '../../../protocol/headers.ts'

/** The shortest there are: a tag, and a size of 0. */
const EMPTY_FIELD = Buffer.from([0x50, 0])

/** The frame of a response in a flexible version that ends with this many bytes of unknown tagged fields. */
export function responseWithTaggedFields<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  { version, correlationId }: { readonly version: number; readonly correlationId: number },
  body: Encodable<Response>,
  bytes: number,
): Buffer {
  const encoded = Buffer.concat(encodeResponse(api, version, correlationId, body))
  // The last byte is the number of tagged fields of the body: none.
  if (encoded.at(-1) !== 0)
    throw new Error(`${api.name} v${version} has no tagged fields at its end`)
  const fields = Buffer.alloc(bytes, EMPTY_FIELD)
  const count = unsignedVarint(bytes / EMPTY_FIELD.length)
  const frame = Buffer.concat([encoded.subarray(0, -1), count, fields])
  frame.writeInt32BE(frame.length - 4)
  return frame
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}
