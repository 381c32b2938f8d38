import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { kafkaLibs } from '../support/kafka/download.ts'
import { ZOOKEEPER_FROM } from '../support/kafka/versions.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { runCommand } from '../support/run-command.ts'
import { nodeClientScript } from '../support/zookeeper/node-client.ts'
import { pythonWithKazoo } from '../support/zookeeper/python.ts'
import { RealZooKeeper } from '../support/zookeeper/real.ts'
import { runJava } from '../wire/support/run-java.ts'

const SCRIPTS = 'test/support/zookeeper/scripts'

/** What each client makes of a ZooKeeper, as lines. */
const CLIENTS = {
  'node-zookeeper-client': nodeClientScript,
  "ZooKeeper's own Java client": async (hosts: string) => {
    const jars = await kafkaLibs(ZOOKEEPER_FROM)
    const output = await runJava(`${SCRIPTS}/JavaClient.java`, jars, Buffer.from(hosts))
    return output.toString().trimEnd().split('\n')
  },
  'kazoo, and its recipes': async (hosts: string) => {
    const python = pythonWithKazoo() ?? 'python3'
    const run = await runCommand(python, [`${SCRIPTS}/kazoo_client.py`, hosts])
    // It warns of the sessions that it loses.
    if (run.exitCode !== 0) throw new Error(`kazoo's script failed: ${run.stderr}`)
    return run.stdout.toString().trimEnd().split('\n')
  },
}

describeWithBrokers('the clients of ZooKeeper', ['java', 'kazoo'], () => {
  let real: RealZooKeeper
  let embedded: EmbeddedZooKeeper

  beforeAll(async () => {
    real = await RealZooKeeper.start()
    embedded = await EmbeddedZooKeeper.start()
  })

  afterAll(async () => {
    await embedded.stop()
    await real[Symbol.asyncDispose]()
  })

  it.each(Object.entries(CLIENTS))(
    'see no difference between the embedded and a real one: %s',
    async (_name, script) => {
      const [theirs, ours] = await Promise.all([script(real.hosts), script(embedded.hosts)])
      expect(theirs.length).toBeGreaterThan(20)
      expect(ours).toEqual(theirs)
    },
  )
})
