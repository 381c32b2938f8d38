import { describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import {
  COMPOSE_FILE as file,
  composeBrokers,
  composeServices,
  listenersOf,
} from '../support/compose.ts'

/** The program of its own, or the plugin of Docker: whichever there is. */
function findCompose(): string[] | undefined {
  const ways = [['docker-compose'], ['docker', 'compose']]
  return ways.find(([command, ...rest]) => {
    return spawnSync(command!, [...rest, 'version'], { stdio: 'ignore' }).status === 0
  })
}

describe('docker-compose.yml', () => {
  it('is valid for docker-compose', () => {
    const compose = findCompose()
    if (compose === undefined) {
      if (process.env['CI'])
        throw new Error('docker-compose is missing: docker-compose.yml unchecked')
      console.warn('NOT RUN: docker-compose is missing, so docker-compose.yml was not checked')
      return
    }
    const [command, ...rest] = compose
    const { status, stderr } = spawnSync(command!, [...rest, '-f', file, 'config', '-q'], {
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('publishes every port on 127.0.0.1 only, and each once', () => {
    const ports = Object.values(composeServices()).flatMap((service) => service.ports)
    const published = ports.map((port) => /^127\.0\.0\.1:(\d+):\d+$/.exec(port)?.[1])
    expect(published).not.toContain(undefined)
    expect(new Set(published).size).toBe(published.length)
  })

  it.each(composeBrokers())(
    'has a broker $name with listeners that clients can reach',
    (broker) => {
      const { name, service, settings } = broker
      const listeners = listenersOf(settings['listeners']!)
      const advertised = listenersOf(settings['advertised.listeners']!)
      const protocols = settings['listener.security.protocol.map']!.split(',')
      expect(protocols.map((one) => one.split(':')[0]!).sort()).toEqual(
        [...listeners.keys()].sort(),
      )
      const internal = settings['inter.broker.listener.name']!
      expect(advertised.get(internal)).toEqual({ host: name, port: listeners.get(internal)!.port })
      const { host, port } = advertised.get('HOST')!
      expect(service.ports).toEqual([`${host}:${port}:${listeners.get('HOST')!.port}`])
      const controllers = settings['controller.listener.names']
      const others = [...listeners.keys()].filter((one) => one !== controllers)
      expect([...advertised.keys()].sort()).toEqual(others.sort())
    },
  )

  it.each(composeBrokers())('checks the health of broker $name without a JVM', (broker) => {
    const { service, settings } = broker
    const check = [service.healthcheck.test].flat().join(' ')
    expect(check).not.toMatch(/\.sh\b|java|kafka-/)
    const internal = listenersOf(settings['listeners']!).get('INTERNAL')!
    expect(check).toContain(`/dev/tcp/127.0.0.1/${internal.port} `)
  })

  it('has one quorum of three controllers, of one cluster', () => {
    const brokers = composeBrokers().filter(({ settings }) => 'process.roles' in settings)
    const voters = brokers.map(({ name, settings }) => {
      const controller = settings['controller.listener.names']!
      const { port } = listenersOf(settings['listeners']!).get(controller)!
      return `${settings['node.id']}@${name}:${port}`
    })
    expect(voters).toHaveLength(3)
    for (const { service, settings } of brokers) {
      expect(settings['controller.quorum.voters']).toBe(voters.join(','))
      const id = service.environment['CLUSTER_ID']
      expect(id).toBe(brokers[0]!.service.environment['CLUSTER_ID'])
      expect(Buffer.from(String(id), 'base64url')).toHaveLength(16)
    }
  })

  it('has a broker of Kafka 3.9 on its ZooKeeper, in a separate profile', () => {
    const [broker] = composeBrokers().filter(({ settings }) => 'zookeeper.connect' in settings)
    expect(broker!.service.image).toMatch(/^apache\/kafka:3\.9\./)
    expect(broker!.service.profiles).toEqual(['zookeeper'])
    const [host, port] = broker!.settings['zookeeper.connect']!.split('/')[0]!.split(':')
    const published = composeServices()[host!]!.ports
    expect(published).toEqual([`127.0.0.1:${port}:${port}`])
  })
})
