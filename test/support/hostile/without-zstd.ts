/**
 * Runs with zstd neither in node:zlib nor as WebAssembly (`node --jitless`), and prints what came of it:
 *
 *   node --jitless --import tsx without-zstd.ts HOSTS produce|read TOPIC
 */
import { createRequire, syncBuiltinESMExports } from 'node:module'

const zlib = createRequire(import.meta.url)('node:zlib') as Record<string, unknown>
for (const name of Object.keys(zlib)) {
  if (/zstd/i.test(name)) Reflect.deleteProperty(zlib, name)
}
syncBuiltinESMExports()
const { KafkaClient, KafkaError } = await import('../../../src/index.ts')

const [hosts = '', what = '', topic = ''] = process.argv.slice(2)

async function produce(): Promise<string[]> {
  const producer = await client.topic(topic).getProducer({ compression: 'zstd' })
  // Small batches are compressed at once, large ones on another thread.
  const values = ['small', 'large'.repeat(10_000)]
  const outcomes: string[] = []
  for (const value of values) {
    outcomes.push(await producer.produce(value).then(() => 'delivered', outcomeOf))
  }
  return outcomes
}

async function read(): Promise<string[]> {
  const options = { skipCorrupt: true, stopAtEnd: true }
  const consumer = await client.topic(topic).getSimpleConsumer(options)
  try {
    let count = 0
    for await (const message of consumer) count += message.value === null ? 0 : 1
    return [`read ${count}`]
  } catch (error) {
    return [outcomeOf(error), `position ${consumer.positions.get(0)}`]
  }
}

function outcomeOf(error: unknown): string {
  return error instanceof KafkaError ? `${error.name} ${error.code}` : String(error)
}

await using client = new KafkaClient({ hosts })
console.log(JSON.stringify(await (what === 'produce' ? produce() : read())))
