import { beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { hostsOf, runBroker } from '../support/broker-command.ts'
import { builtCommand } from '../support/built.ts'
import { samsa } from '../support/run-command.ts'

describe('samsa broker', () => {
  beforeAll(() => void builtCommand())

  it('runs brokers with topics, until Ctrl-C', async () => {
    await using running = runBroker('--port', '0', '--brokers', '3', '--topic', 'six:6')
    const hosts = await hostsOf(running)
    expect(hosts.split(',')).toHaveLength(3)
    {
      await using client = new KafkaClient({ hosts })
      expect(await client.topic('six').partitions()).toHaveLength(6)
    }
    running.kill('SIGINT')
    expect(await running.ended).toEqual({ exitCode: 0, signal: null })
    expect(running.stdout).toMatch(/Stopped\.\n$/)
    expect(running.stderr).toBe('')
  })

  it('prints a command to try, which works', async () => {
    await using running = runBroker('--port', '0', '--topic', 'greetings')
    await hostsOf(running)
    const [, produceArgs, consumeArgs] = await running.printed(
      /echo hello \| samsa (.+) && samsa (.+)$/m,
    )
    await samsa(produceArgs!.split(' '), { input: 'hello\n' })
    const { stdout } = await samsa(consumeArgs!.split(' '))
    expect(stdout.toString()).toBe('hello\n')
  })

  it('presents the requested version of Kafka', async () => {
    await using running = runBroker('--port', '0', '--version', '0.8.2')
    expect(await running.printed(/presents Kafka 0\.8\.2/)).toBeTruthy()
  })

  it('runs a ZooKeeper through which clients find the brokers', async () => {
    await using running = runBroker('--port', '0', '--zookeeper', '--topic', 't')
    const [, zookeeperHosts] = await running.printed(/^ZooKeeper:\n\n {2}(127\.0\.0\.1:\d+)$/m)
    await using client = new KafkaClient({ zookeeperHosts: zookeeperHosts! })
    expect(await client.topic('t').partitions()).toHaveLength(1)
    expect(running.stdout).toContain('Kafka 3.9')
    running.kill('SIGTERM')
    expect(await running.ended).toEqual({ exitCode: 0, signal: null })
  })

  it('suggests a fix when the port is taken', async () => {
    await using first = await EmbeddedCluster.start()
    await using running = runBroker('--port', String(first.ports[0]))
    expect(await running.ended).toEqual({ exitCode: 1, signal: null })
    expect(running.stderr).toBe(
      `samsa: ${first.hosts} is already in use: stop the other server, or use another port (0 for a free one): samsa broker --port 0\n`,
    )
  })

  it.each([
    [['--port', '65536'], 'It must be from 0 to 65535'],
    [['--brokers', '0'], 'It must be at least 1'],
    [['--topic', 'a:0'], 'It must be name or name:partitions'],
    [['--topic', 'no spaces'], 'contains one or more characters other than'],
    [['--zookeeper', '--version', '4.4'], 'Kafka 4.4 does not support ZooKeeper'],
    [['--version', '7.0'], 'Allowed choices are 0.8.2'],
  ])('refuses %j', async (args, problem) => {
    const { exitCode, stderr } = await samsa(['broker', '--port', '0', ...args])
    expect({ exitCode, lines: stderr.trim().split('\n').length }).toEqual({ exitCode: 2, lines: 1 })
    expect(stderr).toContain(problem)
  })
})
