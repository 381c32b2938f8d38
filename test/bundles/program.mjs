// Bundled by test/bundles: brokers from ZooKeeper, zstd out and in, and an error that is known by its class.
import { KafkaClient, KafkaError } from 'samsa'
import { EmbeddedCluster, EmbeddedZooKeeper } from 'samsa/embedded'

async function main() {
  const zookeeper = await EmbeddedZooKeeper.start()
  const kafka = await EmbeddedCluster.start({ zookeeper, version: '3.9' })
  const client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts })
  const topic = client.topic('page-views')
  const producer = await topic.getProducer({ compression: 'zstd' })
  const values = Array.from({ length: 100 }, (_, id) => `value ${id}`)
  await producer.produceMany(values)
  const consumer = await topic.getSimpleConsumer({ stopAtEnd: true })
  const read = []
  for await (const { value } of consumer) read.push(String(value))
  const refusal = await EmbeddedCluster.start({ brokers: -1 }).catch((error) => error)
  await client.close()
  await kafka.stop()
  await zookeeper.stop()
  if (read.join() !== values.join()) throw new Error(`Read ${read.length} of ${values.length}`)
  if (!(refusal instanceof KafkaError)) throw new Error(`There are two copies: ${refusal}`)
  console.log('produced and consumed')
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
