import { describeCluster } from '../../protocol/apis/describe-cluster.ts'
import { findCoordinator } from '../../protocol/apis/find-coordinator.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { decodeResponse, encodeResponse } from '../../protocol/headers.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'

/**
 * Brokers tell their own addresses, past any proxy. What a client learns is rewritten on the way, so that
 * the brokers need no setting for it, which their own traffic would follow as well.
 */

/** The proxy's port by the broker's. */
export type Ports = ReadonlyMap<number, number>

type Rewrite = (frame: Buffer, version: number, ports: Ports) => Buffer

const REWRITES = new Map<number, Rewrite>([
  rewriting(metadata, (body, moved) => ({ ...body, brokers: body.brokers.map(moved) })),
  rewriting(describeCluster, (body, moved) => ({ ...body, brokers: body.brokers.map(moved) })),
  rewriting(findCoordinator, (body, moved) => ({
    ...moved(body),
    coordinators: body.coordinators.map(moved),
  })),
])

/** A response frame with the brokers' ports replaced, where it has any. */
export function rewritten(frame: Buffer, apiKey: number, version: number, ports: Ports): Buffer {
  return REWRITES.get(apiKey)?.(frame, version, ports) ?? frame
}

function rewriting<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  change: (
    body: Decoded<Response>,
    moved: <Place extends { readonly port: number }>(place: Place) => Place,
  ) => Encodable<Response>,
): [number, Rewrite] {
  return [
    api.key,
    (frame, version, ports) => {
      const { correlationId, body } = decodeResponse(api, version, frame.subarray(4))
      const changed = change(body, (place) => ({
        ...place,
        port: ports.get(place.port) ?? place.port,
      }))
      return Buffer.concat(encodeResponse(api, version, correlationId, changed))
    },
  ]
}
