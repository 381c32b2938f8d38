/** The handlers of programs in the API of kafkajs, which @confluentinc/kafka-javascript has as well. */
export const eachMessage = (sink) => ({
  eachMessage: async ({ message }) => {
    sink.take(message.value)
  },
})

export const concurrent = (sink) => ({ partitionsConsumedConcurrently: 4, ...eachMessage(sink) })

export const eachBatch = (sink) => ({
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) if (sink.take(value)) break
  },
})

export const slowly = (sink, handle) => ({
  eachMessage: async ({ message }) => {
    if (!sink.isDone) await handle(message.value)
  },
})
