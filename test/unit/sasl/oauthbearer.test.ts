import { describe, expect, it } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaError } from '../../../src/errors.ts'
import type { SaslExchange } from '../../../src/network/sasl/mechanism.ts'
import { OAuthBearerMechanism } from '../../../src/network/sasl/oauthbearer.ts'
import type { OAuthBearerToken } from '../../../src/network/sasl/oauthbearer-token.ts'
import { TokenCache } from '../../../src/network/sasl/token-cache.ts'

const BROKER = { host: 'kafka1', port: 9093 }
const NOTHING = Buffer.alloc(0)

async function firstMessage(exchange: SaslExchange | Promise<SaslExchange>): Promise<string> {
  return (await (await exchange).next(NOTHING)).toString()
}

const startWith = (token: OAuthBearerToken) => new OAuthBearerMechanism(() => token).start(BROKER)

describe('OAUTHBEARER', () => {
  it('sends token and extensions in the format of RFC 7628', async () => {
    expect(await firstMessage(startWith({ value: 'a.b-c_d~e+f/g==' }))).toBe(
      'n,,\x01auth=Bearer a.b-c_d~e+f/g==\x01\x01',
    )
    const extensions = { logicalCluster: 'lkc-1', traceId: '12 3' }
    expect(await firstMessage(startWith({ value: 'abc', extensions }))).toBe(
      'n,,\x01auth=Bearer abc\x01logicalCluster=lkc-1\x01traceId=12 3\x01\x01',
    )
  })

  it('is complete after an empty response of the broker', async () => {
    const exchange = await startWith({ value: 'abc' })
    await exchange.next(NOTHING)
    expect(exchange.isComplete).toBe(false)
    expect(await exchange.next(NOTHING)).toHaveLength(0)
    expect(exchange.isComplete).toBe(true)
    expect(exchange.refusal).toBeUndefined()
  })

  it("acknowledges a rejection, and keeps the broker's status", async () => {
    const exchange = await startWith({ value: 'abc' })
    await exchange.next(NOTHING)
    const challenge = Buffer.from('{"status":"invalid_token","scope":"kafka\\u0007"}')
    expect(await exchange.next(challenge)).toEqual(Buffer.from('\x01'))
    expect(exchange.isComplete).toBe(false)
    expect(exchange.refusal).toMatchObject({
      code: 'SASL_AUTHENTICATION_FAILED',
      message: "kafka1:9093 rejected the token: status 'invalid_token', scope 'kafka'",
    })
  })

  it.each([
    ['no JSON', "'no JSON'"],
    ['{"error":1}', '\'{"error":1}\''],
  ])('shows the rejection %s unchanged', async (challenge, shown) => {
    const exchange = await startWith({ value: 'abc' })
    await exchange.next(NOTHING)
    await exchange.next(Buffer.from(challenge))
    expect(exchange.refusal).toMatchObject({ message: `kafka1:9093 rejected the token: ${shown}` })
  })

  it.each([
    ['an empty token', { value: '' }],
    ['a token that ends its field', { value: 'abc\x01auth=Bearer other' }],
    ['a token with a line break', { value: 'secret\r\n' }],
    ['an extension by the name of the token', { value: 'secret', extensions: { auth: 'x' } }],
    ['an extension with a number in its name', { value: 'secret', extensions: { a1: 'x' } }],
    ['an extension that ends its field', { value: 'secret', extensions: { a: 'x\x01b=y' } }],
    ['an empty extension', { value: 'secret', extensions: { a: '' } }],
  ])('refuses to send %s', async (_, token) => {
    const failure: unknown = await startWith(token).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'SASL_CREDENTIALS_UNAVAILABLE', retriable: false })
    expect(String(failure)).not.toContain('secret')
  })

  it('reports whether a retry can help', async () => {
    const provider = () => Promise.reject(new KafkaError('BUSY', 'the provider is busy', true))
    await expect(new OAuthBearerMechanism(provider).start(BROKER)).rejects.toMatchObject({
      code: 'SASL_CREDENTIALS_UNAVAILABLE',
      message:
        'cannot log in to kafka1:9093 with OAUTHBEARER: getting the token failed: the provider is busy',
      retriable: true,
    })
  })
})

describe('tokens', () => {
  function counting(lifetimeMs: number | undefined, waitMs = 0) {
    let asked = 0
    return new OAuthBearerMechanism(async () => {
      const value = `token${++asked}`
      await delay(waitMs)
      return lifetimeMs === undefined ? { value } : { value, lifetimeMs }
    })
  }
  const tokenOf = async (exchange: SaslExchange | Promise<SaslExchange>) =>
    /Bearer (\w+)/.exec(await firstMessage(exchange))?.[1]

  it('are used once if their lifetime is unknown', async () => {
    const mechanism = counting(undefined)
    expect(await tokenOf(mechanism.start(BROKER))).toBe('token1')
    expect(await tokenOf(mechanism.start(BROKER))).toBe('token2')
  })

  it('are kept until most of their lifetime has passed', async () => {
    const lasting = counting(60_000)
    expect(await tokenOf(lasting.start(BROKER))).toBe('token1')
    expect(await tokenOf(lasting.start(BROKER))).toBe('token1')
    const brief = counting(100)
    expect(await tokenOf(brief.start(BROKER))).toBe('token1')
    await delay(120)
    expect(await tokenOf(brief.start(BROKER))).toBe('token2')
  })

  it('are requested once by connections that open together', async () => {
    const mechanism = counting(60_000, 20)
    const tokens = await Promise.all([1, 2, 3].map(() => tokenOf(mechanism.start(BROKER))))
    expect(tokens).toEqual(['token1', 'token1', 'token1'])
  })

  it('are dropped when a broker has rejected them', async () => {
    const mechanism = counting(60_000)
    const exchange = await mechanism.start(BROKER)
    expect(await tokenOf(exchange)).toBe('token1')
    await exchange.rejected?.()
    expect(await tokenOf(mechanism.start(BROKER))).toBe('token2')
  })

  it('are requested again when the provider did not respond', async () => {
    let asked = 0
    const provider = () =>
      ++asked === 1 ? new Promise<never>(() => undefined) : Promise.resolve({ value: 'abc' })
    const cache = new TokenCache(provider, 50)
    await expect(cache.get()).rejects.toThrow('longer than 50 ms')
    expect(await cache.get()).toEqual({ value: 'abc' })
  })

  it('are requested again after a failure', async () => {
    let asked = 0
    const mechanism = new OAuthBearerMechanism(() => {
      if (++asked === 1) throw new Error('not now')
      return { value: 'abc', lifetimeMs: 60_000 }
    })
    await expect(mechanism.start(BROKER)).rejects.toThrow('not now')
    expect(await tokenOf(mechanism.start(BROKER))).toBe('abc')
  })
})
