import { defineTopology, fields, KafkaBolt, KafkaSpout, runTopology } from 'samsa/storm'
import { Count } from '../src/count.ts'
import { Split } from '../src/split.ts'

const client = { hosts: process.env.KAFKA ?? '127.0.0.1:9092' }

const topology = defineTopology({
  name: 'wordcount',
  spouts: {
    sentences: {
      component: KafkaSpout,
      args: [
        {
          client,
          topic: 'sentences',
          consumerGroup: 'wordcount',
          consumer: { autoOffsetReset: 'earliest' },
        },
      ],
    },
  },
  bolts: {
    split: { component: Split, inputs: ['sentences'] },
    count: { component: Count, inputs: { split: fields('word') }, parallelism: 2 },
    counts: { component: KafkaBolt, args: [{ client, topic: 'word-counts' }], inputs: ['count'] },
  },
  config: { 'topology.max.spout.pending': 500 },
})

runTopology(topology)
