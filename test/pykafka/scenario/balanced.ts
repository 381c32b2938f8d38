import { gunzipSync, gzipSync } from 'node:zlib'
import {
  decidePartitionsRange,
  decidePartitionsRoundrobin,
  pykafkaMembershipProtocol,
  pykafkaRebalanceCallback,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type PykafkaDecidePartitions,
} from '../../../src/index.ts'
import { ZooKeeperTestSession } from '../../support/zookeeper/session.ts'
import { failure, next, values, type Case, type Outcome, type Scene } from './scene.ts'

async function balanced(
  scene: Scene,
  isManaged: boolean,
  options: Partial<BalancedConsumerOptions> = {},
): Promise<BalancedConsumer> {
  const by = isManaged
    ? ({ managed: true } as const)
    : { zookeeperHosts: scene.zookeeperHosts, rebalanceBackoffMs: 200, rebalanceMaxRetries: 20 }
  const topic = await scene.topic()
  const all = { consumerGroup: scene.name, consumerTimeoutMs: 8_000, ...by, ...options }
  return topic.getBalancedConsumer(all)
}

function shared(scene: Scene, first: BalancedConsumer, second: BalancedConsumer): Promise<Outcome> {
  return scene.until(() => {
    const [one, other] = [first.partitions, second.partitions]
    const isWhole = [...one, ...other].sort().join() === '0,1'
    return isWhole && one.length === 1 ? [one.length, other.length] : false
  })
}

/** The same with both coordinators. */
const OF_BOTH: Readonly<Record<string, (scene: Scene, isManaged: boolean) => Promise<Outcome>>> = {
  'one has all partitions': async (scene, isManaged) => {
    await scene.fill()
    const consumer = await balanced(scene, isManaged)
    return [consumer.partitions, [...(await values(consumer, 10))].sort()]
  },

  'two share, and one takes over': async (scene, isManaged) => {
    await scene.fill()
    const first = await balanced(scene, isManaged)
    const second = await balanced(scene, isManaged)
    const both = await shared(scene, first, second)
    await second.stop()
    return [both, await scene.until(() => first.partitions.length === 2)]
  },

  'commits and continues': async (scene, isManaged) => {
    await scene.fill()
    const consumer = await balanced(scene, isManaged)
    await values(consumer, 10)
    await consumer.commitOffsets()
    await consumer.stop()
    await scene.fill(2)
    const again = await balanced(scene, isManaged)
    return [(await next(again)).offset, (await next(again)).offset].sort()
  },

  'gives nothing after its timeout': async (scene, isManaged) => {
    const consumer = await balanced(scene, isManaged, { consumerTimeoutMs: 100 })
    return (await consumer.consume()) === undefined ? null : 'a message'
  },

  'consume after stop': async (scene, isManaged) => {
    const consumer = await balanced(scene, isManaged)
    await consumer.stop()
    return failure(async () => {
      await consumer.consume()
      return 'a message'
    })
  },

  'start after stop': async (scene, isManaged) => {
    await scene.fill()
    const consumer = await balanced(scene, isManaged)
    await values(consumer, 10)
    await consumer.commitOffsets()
    await consumer.stop()
    await consumer.start()
    await scene.fill(2)
    return (await next(consumer)).offset
  },

  'reset to the earliest': async (scene, isManaged) => {
    await scene.fill()
    const consumer = await balanced(scene, isManaged)
    await values(consumer, 10)
    await consumer.resetOffsets('earliest')
    return (await next(consumer)).offset
  },
}

function decided(decide: PykafkaDecidePartitions): Outcome {
  const members = ['a', 'b', 'c']
  const partitions = [...Array(7).keys()]
  return members.map((member) => [...decide(members, partitions, member)])
}

/** Balanced consumers: the port of the last part of scenario.py. */
export const BALANCED_CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries(OF_BOTH).flatMap(([name, run]): [string, Case][] => [
      [`balanced/${name}`, (scene) => run(scene, false)],
      [`managed/${name}`, (scene) => run(scene, true)],
    ]),
  ),

  'balanced/servers of the client': async (scene) => {
    await scene.fill()
    const via = scene.another({ zookeeperHosts: scene.zookeeperHosts })
    const consumer = await via
      .topic(scene.name)
      .getBalancedConsumer({ consumerGroup: scene.name, consumerTimeoutMs: 8_000 })
    return consumer.partitions
  },

  'balanced/znodes are below the chroot of the client': async (scene) => {
    await scene.topic()
    const via = scene.another({ zookeeperHosts: scene.zookeeperHosts })
    await via.topic(scene.name).getBalancedConsumer({ consumerGroup: scene.name })
    const [servers, chroot] = scene.zookeeperHosts.split('/')
    using looking = await ZooKeeperTestSession.open(servers!)
    const group = `/consumers/${scene.name}`
    const members = await looking.getChildren(`/${chroot}${group}/ids`)
    const owners = `/${chroot}${group}/owners`
    // In the spellings of Python 2 and 3.
    const owned = new Set<string>()
    for (const one of await looking.getChildren(owners)) {
      for (const name of await looking.getChildren(`${owners}/${one}`)) owned.add(name)
    }
    return [members.length, [...owned].sort(), await looking.exists(group)]
  },

  'balanced/callback after a rebalance': async (scene) => {
    await scene.fill()
    const seen: Outcome[] = []
    const consumer = await balanced(scene, false, {
      postRebalanceCallback: pykafkaRebalanceCallback((_, old, offsets) => {
        seen.push([[...old.keys()], [...offsets]])
        return new Map([...offsets.keys()].map((partition) => [partition, 2]))
      }),
    })
    return [seen[0]!, (await next(consumer)).offset]
  },

  'balanced/round robin': async (scene) => {
    const options = { membershipProtocol: 'roundrobin' } as const
    const first = await balanced(scene, false, options)
    return shared(scene, first, await balanced(scene, false, options))
  },

  "balanced/membership protocol of the application's own": async (scene) => {
    const seen: Outcome[] = []
    const membershipProtocol = pykafkaMembershipProtocol((participants, partitions, consumerId) => {
      seen.push([participants.length, partitions, participants.includes(consumerId)])
      return [partitions[1]!]
    })
    const consumer = await balanced(scene, false, { membershipProtocol })
    return [consumer.partitions, seen[0]!]
  },

  'balanced/zookeeper with managed': (scene) =>
    failure(async () => {
      const { zookeeperHosts } = scene
      await balanced(scene, true, { zookeeperHosts })
      return 'taken'
    }),

  'balanced/no group': (scene) =>
    failure(async () => {
      await balanced(scene, false, { consumerGroup: undefined } as never)
      return 'taken'
    }),

  'membership/decide_partitions_range': () => Promise.resolve(decided(decidePartitionsRange)),

  'membership/decide_partitions_roundrobin': () =>
    Promise.resolve(decided(decidePartitionsRoundrobin)),

  'utils/gzip': () => Promise.resolve(gunzipSync(gzipSync('some text')).toString()),
}
