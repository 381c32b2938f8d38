/** What the first `getShareConsumer` loads. A program without share groups need not wait for this code at its start. */
import type { OpenRegister } from '../async/restarts.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { ShareMembership } from './membership.ts'
import type { ShareConsumerOptions } from './options.ts'
import { ShareConsumer } from './share-consumer.ts'
import { ShareFetcher } from './share-fetcher.ts'

/** Returns a consumer that is not started. Throws InvalidArgumentError. */
export function shareConsumer<Value, Key>(
  cluster: Cluster,
  options: ShareConsumerOptions<Value, Key>,
  register: OpenRegister,
): ShareConsumer<Value, Key> {
  const code = { ShareMembership, ShareFetcher }
  return new ShareConsumer<Value, Key>(cluster, options, register, code)
}
