import { Buffer } from 'node:buffer'
import { apiVersions } from './apis/api-versions.ts'
import { Reader } from './buffer/reader.ts'
import { Writer } from './buffer/writer.ts'
import { ErrorCode } from './errors.ts'
import { inMessage, ProtocolError, withStep } from './protocol-error.ts'
import { MessageSchema, type Api } from './schema/api.ts'
import { int16, int32, string, type Decoded, type Encodable, type Fields } from './schema/fields.ts'

/**
 * Frames: a size, a header, a body. The API and its version determine the version of the header;
 * the bytes do not contain it.
 */

/** No client uses version 0: it exists only for ControlledShutdown v0, between brokers. */
export const requestHeader = new MessageSchema('Request header', '0-2', '2+', {
  apiKey: int16('0+'),
  apiVersion: int16('0+'),
  correlationId: int32('0+'),
  // Never compact: a broker must be able to read the header of a version that it does not know
  // (KIP-511).
  clientId: string('1+', { nullable: '1+', flexible: 'none', ignorable: true }),
})

export const responseHeader = new MessageSchema('Response header', '0-1', '1+', {
  correlationId: int32('0+'),
})

export type RequestHeader = Decoded<typeof requestHeader.fields>

const SIZE_BYTES = 4
const CORRELATION_ID_BYTES = 4

export function requestHeaderVersion(api: Pick<Api, 'request'>, version: number): 1 | 2 {
  return api.request.isFlexible(version) ? 2 : 1
}

/**
 * Responses to ApiVersions keep header v0: a client must be able to read the rejection of its
 * version (KIP-511).
 */
function responseHeaderVersion(api: Pick<Api, 'key' | 'response'>, version: number): 0 | 1 {
  return api.key !== apiVersions.key && api.response.isFlexible(version) ? 1 : 0
}

/** A whole request, its size first, in segments for one gathered write. */
export function encodeRequest<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Encodable<Request>,
): readonly Uint8Array[] {
  const writer = startFrame()
  const header = { apiKey: api.key, apiVersion: version, correlationId, clientId }
  requestHeader.encode(writer, requestHeaderVersion(api, version), header)
  api.request.encode(writer, version, body)
  return finishFrame(writer)
}

/** A whole response, its size first, in segments for one gathered write. */
export function encodeResponse<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  correlationId: number,
  body: Encodable<Response>,
): readonly Uint8Array[] {
  const writer = startFrame()
  responseHeader.encode(writer, responseHeaderVersion(api, version), { correlationId })
  api.response.encode(writer, version, body)
  return finishFrame(writer)
}

/**
 * Decodes the frame without its size. Like Java's client it ignores bytes after the body, because
 * some proxies and compatible brokers add some. It drops unknown tagged fields. Throws
 * ProtocolError.
 */
export function decodeResponse<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  frame: Buffer,
): { correlationId: number; body: Decoded<Response> } {
  const reader = new Reader(frame)
  reader.dropsUnknownFields = true
  const correlationId = decodeCorrelationId(api, version, reader)
  if (isRefusedApiVersions(api, frame))
    return { correlationId, body: decodeRefusal(api, version, frame) }
  return { correlationId, body: api.response.decode(reader, version) }
}

/** The correlation id of a response, before the matching request is known. */
export function correlationIdOf(frame: Buffer): number {
  if (frame.length < CORRELATION_ID_BYTES) {
    throw new ProtocolError(`a response of ${frame.length} bytes has no correlation id`, 0)
  }
  return frame.readInt32BE(0)
}

/**
 * Decodes the header of a request, and returns a reader at the position of the body. `apiOf` finds
 * the API of a key; the header of an unknown one is read as v1, which v2 begins with, so that the
 * request can be answered.
 */
export function decodeRequestHeader(
  frame: Buffer,
  apiOf: (key: number) => Pick<Api, 'request'> | undefined,
): { header: RequestHeader; body: Reader } {
  // All versions begin with version 0, which determines the rest.
  const { apiKey, apiVersion } = requestHeader.decode(new Reader(frame), 0)
  const api = apiOf(apiKey)
  const headerVersion = api === undefined ? 1 : requestHeaderVersion(api, apiVersion)
  const body = new Reader(frame)
  return { header: requestHeader.decode(body, headerVersion), body }
}

/**
 * Decodes to the end of the frame: bytes that remain show that the two sides disagree on the
 * layout.
 */
export function decodeBody<F extends Fields>(
  message: MessageSchema<F>,
  version: number,
  reader: Reader,
): Decoded<F> {
  const body = message.decode(reader, version)
  if (reader.remaining > 0) {
    const error = new ProtocolError(
      `${reader.remaining} bytes follow the last field`,
      reader.offset,
    )
    throw inMessage(error, `${message.name} v${version}`)
  }
  return body
}

/**
 * A broker that does not support the version of an ApiVersions request responds in v0 (KIP-511).
 */
function isRefusedApiVersions(api: Pick<Api, 'key'>, frame: Buffer): boolean {
  return (
    api.key === apiVersions.key &&
    frame.length >= CORRELATION_ID_BYTES + 2 &&
    frame.readInt16BE(CORRELATION_ID_BYTES) === ErrorCode.UNSUPPORTED_VERSION
  )
}

/**
 * A rejection is in v0, whatever the request's version. Compatible brokers (librdkafka's mock
 * cluster) send it in the layout of the request's version. A response that matches neither has no
 * list of versions.
 */
function decodeRefusal<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  frame: Buffer,
): Decoded<Response> {
  for (const candidate of [0, version]) {
    const reader = new Reader(frame, CORRELATION_ID_BYTES)
    reader.dropsUnknownFields = true
    try {
      return decodeBody(api.response, candidate, reader)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
    }
  }
  const onlyTheCode = frame.subarray(CORRELATION_ID_BYTES, CORRELATION_ID_BYTES + 2)
  const emptyList = Buffer.alloc(4)
  return api.response.decode(new Reader(Buffer.concat([onlyTheCode, emptyList])), 0)
}

/**
 * An error of the header names the response; without that name a short header would be hard to
 * find.
 */
function decodeCorrelationId(
  api: Pick<Api, 'key' | 'response'>,
  version: number,
  reader: Reader,
): number {
  try {
    return responseHeader.decode(reader, responseHeaderVersion(api, version)).correlationId
  } catch (error) {
    if (error instanceof ProtocolError) error.context = `${api.response.name} v${version}`
    throw withStep(error, 'header')
  }
}

function startFrame(): Writer {
  const writer = new Writer()
  writer.int32(0)
  return writer
}

/** The first segment always contains the four bytes that are reserved for the size. */
function finishFrame(writer: Writer): readonly Uint8Array[] {
  const size = writer.length - SIZE_BYTES
  const segments = writer.finish()
  const first = segments[0]!
  new DataView(first.buffer, first.byteOffset, SIZE_BYTES).setInt32(0, size)
  return segments
}
