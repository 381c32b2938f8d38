import type { ApiName, EmbeddedCluster, SeenRequest } from '../../../src/embedded/index.ts'

export interface HeldRequest {
  /** Resolves when the request has come. */
  readonly arrived: Promise<SeenRequest>
  readonly release: () => void
}

/** Holds the next request of an API until it is released. */
export function holdNext(kafka: EmbeddedCluster, api: ApiName): HeldRequest {
  const arrived = kafka.requests.next({ api })
  const fault = kafka.faults.on({ api, times: 1 }, { hold: true })
  return { arrived, release: () => fault.release() }
}
