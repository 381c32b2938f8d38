import type { Api } from '../../../../protocol/schema/api.ts'
import {
  ZERO_UUID,
  type Decoded,
  type Encodable,
  type Fields,
} from '../../../../protocol/schema/fields.ts'
import { ConnectionClosed, RawClient } from '../raw-client.ts'

/** A cluster under comparison. */
export class Side {
  client: RawClient
  readonly port: number
  readonly names = new Map<unknown, string>()
  readonly topicIds = new Map<string, string>()
  readonly values = new Map<string, number | bigint | string>()
  /** The highest version of each API that the broker supports. Default: all versions of the steps. */
  highestVersions: ReadonlyMap<number, number> | undefined

  constructor(client: RawClient, port: number) {
    this.client = client
    this.port = port
    this.names.set(port, 'port')
  }

  static async open(port: number): Promise<Side> {
    return new Side(await RawClient.open(port), port)
  }

  topicId(name: string): string {
    return this.topicIds.get(name) ?? ZERO_UUID
  }

  /** A value that an earlier answer gave. */
  number(name: string): number {
    return Number(this.values.get(name))
  }

  text(name: string): string {
    return String(this.values.get(name))
  }
}

export interface Step {
  readonly name: string
  ask(side: Side): Promise<unknown>
}

export function step<Request extends Fields, Response extends Fields>(
  what: string,
  api: Api<Request, Response>,
  version: number,
  body: Encodable<Request> | ((side: Side) => Encodable<Request>),
  learn: (side: Side, response: Decoded<Response>) => void = () => undefined,
): Step {
  return {
    name: `${what} (${api.name} v${version})`,
    async ask(side) {
      const given = typeof body === 'function' ? body(side) : body
      try {
        const response = await ask(side, api, version, given)
        learn(side, response)
        return response
      } catch (error) {
        if (!(error instanceof ConnectionClosed)) throw error
        side.client = await RawClient.open(side.port)
        return { connection: 'closed' }
      }
    },
  }
}

export function ask<Request extends Fields, Response extends Fields>(
  { client }: Side,
  api: Api<Request, Response>,
  version: number,
  body: Encodable<Request>,
) {
  return client.request(api, version, body)
}
