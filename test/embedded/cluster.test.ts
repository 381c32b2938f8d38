import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { describeCluster } from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { InvalidArgumentError, KafkaClient } from '../../src/index.ts'
import { failureOf } from '../support/settled.ts'
import { rawClientOf, topicOf } from './support/requests.ts'

describe('an embedded cluster', () => {
  it('delivers to a consumer what a client produces', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { greetings: { partitions: 3 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const topic = client.topic('greetings')
    const producer = await topic.getProducer({ compression: 'gzip' })
    await Promise.all(
      ['one', 'two', 'three'].map((value) =>
        producer.produce(value, { key: value, headers: { of: value } }),
      ),
    )
    const consumer = await topic.getSimpleConsumer({
      autoOffsetReset: 'earliest',
      stopAtEnd: true,
    })
    const seen: string[] = []
    for await (const { key, value, headers } of consumer) {
      seen.push(`${String(key)} ${String(value)} ${headers[0]?.key}=${String(headers[0]?.value)}`)
    }
    expect(seen.sort()).toEqual(['one one of=one', 'three three of=three', 'two two of=two'])
  })

  it('starts as many brokers as requested', async () => {
    await using kafka = await EmbeddedCluster.start({
      brokers: 3,
      topics: { t: { partitions: 100 } },
    })
    expect(kafka.hosts.split(',')).toHaveLength(3)
    expect(kafka.brokerIds).toEqual([1, 2, 3])
  })

  it('spreads leaders over its brokers, with three replicas of each partition', async () => {
    await using kafka = await EmbeddedCluster.start({
      brokers: 3,
      topics: { t: { partitions: 3 } },
    })
    using raw = await rawClientOf(kafka)
    const { partitions } = await topicOf(raw, 't')
    expect(partitions.map(({ leaderId }) => leaderId).sort()).toEqual([1, 2, 3])
    expect(partitions.map(({ replicaNodes }) => replicaNodes.length)).toEqual([3, 3, 3])
  })

  it('listens at the requested ports', async () => {
    const ports = await EmbeddedCluster.start().then(async (first) => {
      await first.stop()
      return first.ports
    })
    await using kafka = await EmbeddedCluster.start({ ports })
    expect(kafka.ports).toEqual(ports)
  })

  it('listens on 127.0.0.1 only', async () => {
    await using kafka = await EmbeddedCluster.start()
    const canConnect = async (host: string) => {
      const socket = connect({ host, port: kafka.ports[0]! })
      try {
        await once(socket, 'connect')
        return true
      } catch {
        return false
      } finally {
        socket.destroy()
      }
    }
    expect(await canConnect('127.0.0.1')).toBe(true)
    // Other addresses of this machine, where it has them.
    const all = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
    const others = all.map(({ address }) => address).filter((address) => address !== '127.0.0.1')
    for (const address of ['127.0.0.2', ...others]) {
      expect([address, await canConnect(address)]).toEqual([address, false])
    }
  })

  it('refuses to start when a port is taken', async () => {
    await using first = await EmbeddedCluster.start()
    await expect(EmbeddedCluster.start({ ports: first.ports })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`127.0.0.1:${first.ports[0]} is already in use`),
    })
  })

  it.each([
    [{ brokers: 0 }, "option 'brokers' must be a whole number from 1"],
    [{ brokers: 2, ports: [0] }, '2 brokers require 2 ports, not 1'],
    [{ topics: { t: { partitions: 0 } } }, "topic 't': option 'partitions' must be"],
    [{ topics: { 'a b': {} } }, "'a b' contains one or more characters"],
    [{ topics: { t: { config: { nope: '1' } } } }, 'Unknown topic config name: nope'],
  ])('rejects invalid options: %j', async (options, problem) => {
    const starting = EmbeddedCluster.start(options)
    await expect(starting).rejects.toBeInstanceOf(InvalidArgumentError)
    await expect(starting).rejects.toThrow(problem)
  })

  it('closes its connections when it stops, and can be stopped twice', async () => {
    const kafka = await EmbeddedCluster.start()
    using raw = await rawClientOf(kafka)
    await kafka.stop()
    await raw.closed
    await kafka.stop()
  })

  describe('automatic creation of topics', () => {
    it('creates a requested topic, which exists at the next request', async () => {
      await using kafka = await EmbeddedCluster.start({ defaultPartitions: 4 })
      using raw = await rawClientOf(kafka)
      expect(await topicOf(raw, 'new')).toMatchObject({ errorCode: 3, partitions: [] })
      const { errorCode, partitions } = await topicOf(raw, 'new')
      expect({ errorCode, count: partitions.length }).toEqual({ errorCode: 0, count: 4 })
    })

    it('answers LEADER_NOT_AVAILABLE the first time, with Kafka up to 3.9', async () => {
      await using kafka = await EmbeddedCluster.start({ version: '1.1' })
      using raw = await rawClientOf(kafka)
      expect(await topicOf(raw, 'new', 5)).toMatchObject({ errorCode: 5 })
      expect(await topicOf(raw, 'new', 5)).toMatchObject({ errorCode: 0 })
    })

    it('does not happen if it is turned off', async () => {
      await using kafka = await EmbeddedCluster.start({ autoCreateTopics: false })
      using raw = await rawClientOf(kafka)
      await topicOf(raw, 'new')
      expect(await topicOf(raw, 'new')).toMatchObject({ errorCode: 3 })
    })
  })

  describe('an embedded cluster whose brokers stop and start', () => {
    it('moves the partitions of a stopped broker to others, with a new leader epoch', async () => {
      await using kafka = await EmbeddedCluster.start({ brokers: 2, topics: { t: {} } })
      const leader = kafka.leaderOf('t', 0)
      const other = leader === 1 ? 2 : 1
      await kafka.stopBroker(leader)
      expect(kafka.leaderOf('t', 0)).toBe(other)
      using raw = await rawClientOf(kafka, other)
      const { partitions } = await topicOf(raw, 't')
      expect(partitions[0]).toMatchObject({
        leaderId: other,
        leaderEpoch: 1,
        isrNodes: [other],
        offlineReplicas: [leader],
      })
      const { brokers } = await raw.request(describeCluster, 0, {
        includeClusterAuthorizedOperations: false,
      })
      expect(brokers.map(({ brokerId }) => brokerId)).toEqual([other])
    })

    it('leaves a partition without a leader when its only replica stops, until the replica returns', async () => {
      await using kafka = await EmbeddedCluster.start({
        brokers: 2,
        topics: { t: { replicationFactor: 1 } },
      })
      const leader = kafka.leaderOf('t', 0)
      await kafka.stopBroker(leader)
      expect(kafka.leaderOf('t', 0)).toBe(-1)
      using raw = await rawClientOf(kafka, leader === 1 ? 2 : 1)
      expect((await topicOf(raw, 't')).partitions[0]).toMatchObject({ errorCode: 5, leaderId: -1 })
      await kafka.startBroker(leader)
      expect(kafka.leaderOf('t', 0)).toBe(leader)
    })

    it('waits for the port of a broker that starts again while another process has it', async () => {
      await using kafka = await EmbeddedCluster.start({ brokers: 2, topics: { t: {} } })
      const port = kafka.ports[1]!
      await kafka.stopBroker(2)
      const other = createServer()
      other.listen(port, '127.0.0.1')
      await once(other, 'listening')
      let isStarted = false
      const starting = kafka.startBroker(2).then(() => (isStarted = true))
      await delay(100)
      expect(isStarted).toBe(false)
      other.close()
      await starting
      using raw = await rawClientOf(kafka, 2)
      expect(await topicOf(raw, 't')).toMatchObject({ errorCode: 0 })
    })

    it.each([0, 100])(
      'ends the start of a broker when the cluster stops %i ms later',
      async (ms) => {
        const kafka = await EmbeddedCluster.start({ brokers: 2 })
        await kafka.stopBroker(2)
        const other = createServer()
        other.listen(kafka.ports[1], '127.0.0.1')
        await once(other, 'listening')
        const starting = failureOf(kafka.startBroker(2))
        if (ms > 0) await delay(ms)
        await kafka.stop()
        // By whether the system has answered.
        expect(await starting).toMatchObject({ code: expect.stringMatching(/^PORT_/) })
        other.close()
      },
    )

    it('lets a client continue at the new leader', async () => {
      await using kafka = await EmbeddedCluster.start({ brokers: 3, topics: { t: {} } })
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const producer = await client.topic('t').getProducer()
      await producer.produce('before')
      await kafka.stopBroker(kafka.leaderOf('t', 0))
      expect(await producer.produce('after')).toMatchObject({ offset: 1 })
    })
  })
})
