import { describe, expect, it } from '@jest/globals'
import { InvalidArgumentError, KafkaClient } from '../../../src/index.ts'

function oidcWith(wrong: object): object {
  const oidc = { tokenEndpoint: 'https://id/token', clientId: 'c', clientSecret: 's', ...wrong }
  return { mechanism: 'OAUTHBEARER', oidc }
}

/** As callers without TypeScript make a client. */
function clientWith(options: object): KafkaClient {
  return new KafkaClient(options)
}

describe('the options of a client', () => {
  it('are all optional, and undefined counts as omitted', () => {
    expect(() => clientWith({})).not.toThrow()
    expect(() => clientWith({ hosts: undefined })).not.toThrow()
  })

  it('are rejected by name when they do not exist', () => {
    expect(() => clientWith({ host: 'x:9092' })).toThrow(InvalidArgumentError)
    expect(() => clientWith({ host: 'x:9092' })).toThrow(/has no option 'host'; it has .*hosts/)
    expect(() => clientWith({ toString: 'x' })).toThrow(/has no option 'toString'/)
  })

  it.each([
    [{ hosts: 9092 }, 'hosts'],
    [{ hosts: '' }, 'hosts'],
    [{ hosts: ' , ' }, 'hosts'],
    [{ hosts: 'a:b:c' }, 'a:b:c'],
    [{ hosts: 'kafka:0' }, 'kafka:0'],
    [{ hosts: 'kafka:65536' }, 'kafka:65536'],
    [{ hosts: 'http://kafka:9092' }, 'http://kafka:9092'],
    [{ hosts: ['kafka:9092', 7] }, 'index 1'],
    [{ clientId: '' }, 'clientId'],
    [{ connectTimeoutMs: 0 }, 'connectTimeoutMs'],
    [{ connectTimeoutMs: '1000' }, "'1000'"],
    [{ socketTimeoutMs: NaN }, 'socketTimeoutMs'],
    [{ maxResponseBytes: 2 ** 31 }, 'maxResponseBytes'],
  ])('are rejected with the reason: %j', (options, named) => {
    expect(() => clientWith(options)).toThrow(InvalidArgumentError)
    expect(() => clientWith(options)).toThrow(named)
  })

  it.each([
    'socketTimeoutMs',
    'connectTimeoutMs',
    'operationTimeoutMs',
    'retryBackoffMs',
    'retryBackoffMaxMs',
    'reconnectBackoffMs',
    'reconnectBackoffMaxMs',
    'connectionsMaxIdleMs',
    'metadataMaxAgeMs',
  ])('are rejected when %s is longer than timers support', (name) => {
    expect(() => clientWith({ [name]: 2 ** 31 - 1 })).not.toThrow()
    expect(() => clientWith({ [name]: 2 ** 31 })).toThrow(
      `option '${name}' must be a whole number from 1 to 2147483647`,
    )
  })

  it.each([
    [{ tls: 'hunter2' }, "option 'tls'"],
    [{ sasl: 'hunter2' }, 'sasl'],
    [{ hosts: { a: 'hunter2' } }, "option 'hosts'"],
    [{ hosts: 'me:hunter2@kafka:9092' }, "'***@kafka:9092' is not an address"],
    [{ hosts: 'sasl://me:hunter2@kafka:9092' }, 'is not an address'],
    [{ sasl: oidcWith({ parameters: 'hunter2' }) }, "option 'parameters'"],
    [{ sasl: oidcWith({ extensions: 'hunter2' }) }, "option 'extensions'"],
    [{ sasl: oidcWith({ ca: 'hunter2' }) }, "option 'ca'"],
  ])('are rejected without the password that they contain: %#', (options, named) => {
    expect(() => clientWith(options)).toThrow(named)
    expect(() => clientWith(options)).not.toThrow(/hunter2/)
  })

  it.each(['a/b', '', '.', '..', 'x'.repeat(250), 'tä'])(
    'are rejected when a topic is named %j',
    (name) => {
      const client = clientWith({})
      expect(() => client.topic(name)).toThrow(InvalidArgumentError)
    },
  )
})
