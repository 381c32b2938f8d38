/** Kafka → KafkaSpout → two bolts → KafkaBolt, by the settings `test.hosts`. */
import {
  Bolt,
  defineTopology,
  fields,
  KafkaBolt,
  KafkaSpout,
  runTopology,
  stream,
  type StormConf,
  type Tuple,
} from '../../../src/storm/index.ts'

interface Fields {
  key: string | null
  value: string | null
}
const outputs = { default: stream<Fields>('key', 'value') }
const text = (conf: StormConf, key: string) => conf[key] as string | undefined
const client = (conf: StormConf) => ({ hosts: conf['test.hosts'] as string })

class Parse extends Bolt<Fields, typeof outputs> {
  static readonly outputs = outputs
  override process({ fields: { key, value } }: Tuple<Fields>): void {
    this.emit({ key, value: `parsed ${value}` })
  }
}
class Mark extends Bolt<Fields, typeof outputs> {
  static readonly outputs = outputs
  override async process({ fields: { key, value } }: Tuple<Fields>): Promise<void> {
    await Promise.resolve()
    this.emit({ key, value: `${value} marked` })
  }
}

runTopology(
  defineTopology({
    name: 'kafka',
    spouts: {
      messages: {
        component: KafkaSpout,
        args: [
          (conf: StormConf) => ({
            client: client(conf),
            topic: 'in',
            consumerGroup: text(conf, 'test.group') ?? 'g',
          }),
        ],
      },
    },
    bolts: {
      parse: { component: Parse, inputs: ['messages'] },
      mark: { component: Mark, inputs: { parse: fields('key') } },
      produce: {
        component: KafkaBolt,
        args: [
          (conf: StormConf) => ({ client: client(conf), topic: text(conf, 'test.out') ?? 'out' }),
        ],
        inputs: ['mark'],
      },
    },
    config: { 'topology.max.spout.pending': 2_000, 'topology.message.timeout.secs': 120 },
  }),
)
