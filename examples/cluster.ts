import { EmbeddedCluster, type EmbeddedTopicOptions } from 'samsa/embedded'

export interface RunningCluster extends AsyncDisposable {
  readonly hosts: string
}

/** The cluster at `KAFKA_HOSTS`, or an embedded one with the given topics that ends with the block. */
export async function openCluster(
  topics: Readonly<Record<string, EmbeddedTopicOptions>> = {},
): Promise<RunningCluster> {
  const hosts = process.env['KAFKA_HOSTS']
  if (hosts === undefined) return EmbeddedCluster.start({ topics })
  return { hosts, [Symbol.asyncDispose]: () => Promise.resolve() }
}
