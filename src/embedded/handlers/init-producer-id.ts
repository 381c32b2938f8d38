import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { handler } from '../api/handler.ts'

export const initProducerIdHandler = handler(initProducerId, {
  handle: ({ transactionalId }, { cluster }) => {
    if (transactionalId === null) {
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        producerId: cluster.newProducerId(),
        producerEpoch: 0,
      }
    }
    // An empty id is an error in Kafka too; a proper one needs transactions, which are still to come.
    const error = transactionalId === '' ? 'INVALID_REQUEST' : 'TRANSACTIONAL_ID_NOT_FOUND'
    return { throttleTimeMs: 0, errorCode: ErrorCode[error], producerEpoch: -1 }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, producerEpoch: -1 }),
})
