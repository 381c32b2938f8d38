import type { Reader } from '../buffer/reader.ts'
import type { Writer } from '../buffer/writer.ts'
import { inMessage } from '../protocol-error.ts'
import { decodeStruct } from './decode.ts'
import { encodeStruct } from './encode.ts'
import type { Decoded, Encodable, Fields } from './fields.ts'
import { planOf, type Plan } from './plan.ts'
import { includes, parseVersions, type VersionRange, type VersionSpec } from './versions.ts'

/**
 * Encodes and decodes one message (a request, a response or a stored record) in all its versions.
 */
export class MessageSchema<F extends Fields> {
  readonly name: string
  readonly fields: F
  readonly versions: VersionRange
  readonly flexible: VersionRange
  readonly #plans = new Map<number, Plan>()

  constructor(name: string, versions: VersionSpec, flexible: VersionSpec, fields: F) {
    this.name = name
    this.fields = fields
    this.versions = parseVersions(versions)
    this.flexible = parseVersions(flexible)
  }

  isFlexible(version: number): boolean {
    return includes(this.flexible, version)
  }

  /**
   * Throws EncodeError, naming this message, version and field, for a value that cannot be written.
   */
  encode(writer: Writer, version: number, value: Encodable<F>): void {
    try {
      encodeStruct(writer, this.#plan(version), value)
    } catch (error) {
      throw inMessage(error, `${this.name} v${version}`)
    }
  }

  /** Throws ProtocolError, naming this message, version, field and position. */
  decode(reader: Reader, version: number): Decoded<F> {
    try {
      // The plan was computed from the same fields.
      return decodeStruct(reader, this.#plan(version)) as Decoded<F>
    } catch (error) {
      throw inMessage(error, `${this.name} v${version}`)
    }
  }

  #plan(version: number): Plan {
    let plan = this.#plans.get(version)
    if (plan === undefined) {
      if (!includes(this.versions, version)) {
        throw new RangeError(`${this.name} has no version ${version}`)
      }
      plan = planOf(this.fields, version, this.flexible)
      this.#plans.set(version, plan)
    }
    return plan
  }
}

/** A request that a client sends, and its response. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly request: MessageSchema<Request>
  readonly response: MessageSchema<Response>
}

export function api<const Request extends Fields, const Response extends Fields>(declaration: {
  readonly key: number
  readonly name: string
  /** Every version that any Kafka from 0.8.2 on supports. */
  readonly versions: VersionSpec
  /** Versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: VersionSpec
  readonly request: Request
  readonly response: Response
}): Api<Request, Response> {
  const { key, name, versions, flexible, request, response } = declaration
  return {
    key,
    name,
    versions: parseVersions(versions),
    request: new MessageSchema(`${name} request`, versions, flexible, request),
    response: new MessageSchema(`${name} response`, versions, flexible, response),
  }
}

/** The request body of an API, for sending. */
export type RequestOf<A> = A extends Api<infer Request> ? Encodable<Request> : never
/** The response body of an API, as received. */
export type ResponseOf<A> = A extends Api<Fields, infer Response> ? Decoded<Response> : never
