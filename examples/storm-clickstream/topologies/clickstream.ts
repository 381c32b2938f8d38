import { defineTopology, fields, KafkaBolt, KafkaSpout, runTopology } from 'samsa/storm'
import { Parse } from '../src/parse.ts'
import { Sessionize } from '../src/sessionize.ts'

const client = { hosts: process.env.KAFKA ?? '127.0.0.1:9092' }

const topology = defineTopology({
  name: 'clickstream',
  spouts: {
    clicks: {
      component: KafkaSpout,
      args: [
        {
          client,
          topic: 'clicks',
          consumerGroup: 'clickstream',
          consumer: { autoOffsetReset: 'earliest' },
        },
      ],
    },
  },
  bolts: {
    parse: { component: Parse, inputs: ['clicks'], parallelism: { default: 1, prod: 4 } },
    sessionize: {
      component: Sessionize,
      inputs: { parse: fields('user') },
      parallelism: { default: 2, prod: 8 },
      config: { 'topology.tick.tuple.freq.secs': 1 },
    },
    sessions: {
      component: KafkaBolt,
      args: [{ client, topic: 'sessions' }],
      inputs: ['sessionize'],
    },
    bad: { component: KafkaBolt, args: [{ client, topic: 'bad-clicks' }], inputs: ['parse:bad'] },
  },
  config: {
    'topology.max.spout.pending': 10_000,
    'topology.message.timeout.secs': 300,
    'clickstream.gap.ms': 5_000,
    'clickstream.longest.ms': 60_000,
  },
})

runTopology(topology)
