import { unregisterBroker } from '../../../protocol/apis/unregister-broker.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf } from '../refused.ts'
import { forCluster } from './for-cluster.ts'

/** Removes the registration of a stopped broker (KRaft). */
export const unregisterBrokerHandler = handler(
  unregisterBroker,
  forCluster('alter', {
    handle: ({ brokerId }, { cluster }) => {
      const { refused } = outcomeOf(() => cluster.brokers.unregister(brokerId))
      return {
        throttleTimeMs: 0,
        errorCode: refused?.errorCode ?? 0,
        errorMessage: refused?.detail ?? null,
      }
    },
    refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null }),
  }),
)
