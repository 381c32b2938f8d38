/**
 * A member of a share group in a process of its own: `tsx worker.ts hosts topic group`. Prints a line for each delivery:
 * its number, its delivery count, and whether the handler has finished it (`ok`) or has failed (`failed`).
 */
import { KafkaClient } from '../../../src/index.ts'

const [hosts = '', topic = '', group = ''] = process.argv.slice(2)

async function main(): Promise<void> {
  await using client = new KafkaClient({ hosts })
  const consumer = await client.getShareConsumer({ topics: [topic], shareGroup: group })
  process.once('SIGTERM', () => void consumer.close())
  await consumer.run(
    async (message) => {
      const line = `${String(message.value)} ${message.deliveryCount}`
      await new Promise((resolve) => setImmediate(resolve))
      const fails = Math.random() < 0.1
      // What the process holds back is lost when it is killed: the message is accepted after its line is written.
      await new Promise((resolve) =>
        process.stdout.write(`${line} ${fails ? 'failed' : 'ok'}\n`, resolve),
      )
      if (fails) throw new Error('one in ten')
    },
    { concurrency: 50 },
  )
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`)
  process.exitCode = 1
})
