import type { Reader } from '../../../protocol/buffer/reader.ts'
import { decodeBody, encodeResponse } from '../../../protocol/headers.ts'
import type { Api } from '../../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../../protocol/schema/fields.ts'
import type { RequestContext } from './context.ts'

export type Frame = readonly Uint8Array[]

/** A decoded request, which can be executed or answered with an error. */
export interface Call {
  readonly body: Readonly<Record<string, unknown>>
  /** The response; undefined if the protocol has none (Produce with acks 0). */
  run(
    context: RequestContext,
    correlationId: number,
  ): Promise<Frame | undefined> | Frame | undefined
  /** A response with the error in each of its error fields. */
  refuse(errorCode: number, context: RequestContext, correlationId: number): Frame
}

/** How a broker handles one API. */
export interface Handler {
  readonly key: number
  readonly name: string
  /** Whether `run` itself handles injected errors, for single topics and partitions. */
  readonly injectsErrors: boolean
  readonly request: Api['request']
  /** Throws ProtocolError. */
  open(version: number, reader: Reader): Call
}

export interface HandlerFunctions<Request extends Fields, Response extends Fields> {
  handle(
    request: Decoded<Request>,
    context: RequestContext,
  ): Answer<Response> | Promise<Answer<Response>>
  refuse(errorCode: number, request: Decoded<Request>, context: RequestContext): Encodable<Response>
  /** Default: false. */
  readonly injectsErrors?: boolean
}
export type Answer<Response extends Fields> = Encodable<Response> | undefined

export function handler<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  parts: HandlerFunctions<Request, Response>,
): Handler {
  return {
    key: api.key,
    name: api.name,
    request: api.request,
    injectsErrors: parts.injectsErrors ?? false,
    open(version, reader) {
      const body = decodeBody(api.request, version, reader)
      const framed = (
        context: RequestContext,
        correlationId: number,
        answer: Encodable<Response>,
      ) => encodeResponse(api, version, correlationId, throttled(api, context, answer))
      return {
        body,
        run(context, correlationId) {
          const answer = parts.handle(body, context)
          if (answer instanceof Promise) {
            return answer.then((late) => late && framed(context, correlationId, late))
          }
          return answer && framed(context, correlationId, answer)
        },
        refuse: (errorCode, context, correlationId) =>
          framed(context, correlationId, parts.refuse(errorCode, body, context)),
      }
    },
  }
}

/** Adds the throttle time if there is one and the response has a field for it. */
function throttled<Response extends Fields>(
  api: Api<Fields, Response>,
  { throttle }: RequestContext,
  answer: Encodable<Response>,
): Encodable<Response> {
  const throttleTimeMs = throttle.timeMs
  if (throttleTimeMs === 0 || !Object.hasOwn(api.response.fields, 'throttleTimeMs')) return answer
  return { ...answer, throttleTimeMs }
}
