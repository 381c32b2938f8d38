import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import { clusterOptions } from '../../src/client-options.ts'
import { parseHosts } from '../../src/network/address.ts'
import { Broker, type BodyFor } from '../../src/network/broker.ts'
import { PATIENCE_MS } from './patience.ts'

/** Sends one request to the first of the hosts, on a connection of its own. */
export async function requestOnce<Request extends Fields, Response extends Fields>(
  hosts: string,
  api: Api<Request, Response>,
  body: BodyFor<Request>,
  maxVersion?: number,
): Promise<Decoded<Response>> {
  const broker = new Broker(-1, parseHosts(hosts)[0]!, clusterOptions({ hosts }).broker)
  try {
    return await broker.request(api, body, {
      timeoutMs: PATIENCE_MS,
      ...(maxVersion === undefined ? {} : { maxVersion }),
    })
  } finally {
    await broker.close()
  }
}
