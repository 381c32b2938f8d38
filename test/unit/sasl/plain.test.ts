import { describe, expect, it } from '@jest/globals'
import { saslMechanismOf } from '../../../src/network/sasl/options.ts'

const BROKER = { host: 'kafka1', port: 9093 }

describe('PLAIN', () => {
  it('sends user name and password in the format of RFC 4616, as UTF-8', async () => {
    const plain = saslMechanismOf({ mechanism: 'PLAIN', username: 'zoë', password: 'päss,=word' })
    expect(plain.name).toBe('PLAIN')
    const exchange = await plain.start(BROKER)
    expect((await exchange.next(Buffer.alloc(0))).toString()).toBe('\0zoë\0päss,=word')
    expect(exchange.isComplete).toBe(true)
  })

  it('calls a password function for each connection', async () => {
    let asked = 0
    const plain = saslMechanismOf({
      mechanism: 'PLAIN',
      username: 'u',
      password: () => Promise.resolve(`p${++asked}`),
    })
    for (const password of ['p1', 'p2']) {
      const exchange = await plain.start(BROKER)
      expect((await exchange.next(Buffer.alloc(0))).toString()).toBe(`\0u\0${password}`)
    }
  })

  it('reports why the password could not be obtained', async () => {
    const password = () => Promise.reject(new Error('the vault is sealed'))
    const plain = saslMechanismOf({ mechanism: 'PLAIN', username: 'u', password })
    await expect(plain.start(BROKER)).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'SASL_CREDENTIALS_UNAVAILABLE',
      message:
        'cannot log in to kafka1:9093 with PLAIN: getting the password failed: the vault is sealed',
      retriable: false,
      broker: 'kafka1:9093',
      mechanism: 'PLAIN',
    })
  })

  it('rejects an invalid password of a function without showing it', async () => {
    const plain = saslMechanismOf({ mechanism: 'PLAIN', username: 'u', password: () => 'se\0cret' })
    const failure = plain.start(BROKER)
    await expect(failure).rejects.toThrow(
      'cannot log in to kafka1:9093 with PLAIN: the password must not contain a NUL character',
    )
  })
})
