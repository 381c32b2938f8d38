import { describe, expect, it } from '@jest/globals'
import { saslMechanismOf } from '../../../src/network/sasl/options.ts'
import { ScramExchange, type ScramSettings } from '../../../src/network/sasl/scram.ts'

const SHA256: ScramSettings = {
  mechanism: 'SCRAM-SHA-256',
  minIterations: 4096,
  maxIterations: 1_000_000,
}
const SHA512: ScramSettings = { ...SHA256, mechanism: 'SCRAM-SHA-512' }
const NOTHING = Buffer.alloc(0)

/** The exchange of RFC 7677, section 3. */
const NONCE = 'rOprNGfwEbeRWgbNEkqO'
const SERVER_NONCE = `${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`
const SALT = 'W22ZaJ0SNY7soEsUEjb6gQ=='
const SERVER_FIRST = `r=${SERVER_NONCE},s=${SALT},i=4096`
const CLIENT_FINAL = `c=biws,r=${SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

function exchangeOf(settings: Partial<ScramSettings> = {}): ScramExchange {
  return new ScramExchange({ ...SHA256, ...settings }, 'kafka1:9093', 'user', 'pencil', NONCE)
}

/** As far as the server's first message, with this in its place. */
async function answerTo(serverFirst: string, settings?: Partial<ScramSettings>): Promise<string> {
  const exchange = exchangeOf(settings)
  await exchange.next(NOTHING)
  return (await exchange.next(Buffer.from(serverFirst))).toString()
}

describe('SCRAM', () => {
  it('performs the exchange of RFC 7677', async () => {
    const exchange = exchangeOf()
    expect((await exchange.next(NOTHING)).toString()).toBe(`n,,n=user,r=${NONCE}`)
    expect((await exchange.next(Buffer.from(SERVER_FIRST))).toString()).toBe(CLIENT_FINAL)
    expect(exchange.isComplete).toBe(false)
    expect(await exchange.next(Buffer.from(SERVER_FINAL))).toHaveLength(0)
    expect(exchange.isComplete).toBe(true)
  })

  it('supports SHA-512, a name with = and comma, and a password that is not ASCII', async () => {
    // Computed with Python's hashlib; Kafka normalises nothing, so the ligature stays one.
    const nonce = 'fyko+d2lbbFgONRv9qkxdawL'
    const exchange = new ScramExchange(SHA512, 'kafka1:9093', 'a=b,c', 'pa=ss,wörd ﬁ', nonce)
    expect((await exchange.next(NOTHING)).toString()).toBe(`n,,n=a=3Db=2Cc,r=${nonce}`)
    const serverNonce = `${nonce}3rfcNHYJY1ZVvWVs7j`
    const first = Buffer.from(`r=${serverNonce},s=QSXCR+Q6sek8bf92,i=4096,x=more`)
    expect((await exchange.next(first)).toString()).toBe(
      `c=biws,r=${serverNonce},p=8rzgL3afk7d9cORzcmfXt4Aq1gFWisbEmhjwPXxyl3xxqNM2+SGv1XQinXvEcTgA1l/Q8TLUFo03QpEOxrBlog==`,
    )
    await exchange.next(
      Buffer.from(
        'v=wTJz+/IW1YzhW9NW8yTAGwP91UOy29ClNxdBPRlJap0uQ5mtxgPHp3h7WqsiJdpyi78rCeA6ktwo+zHGod9qow==',
      ),
    )
    expect(exchange.isComplete).toBe(true)
  })

  it('creates a new nonce for each exchange', async () => {
    const mechanism = saslMechanismOf({ ...SHA256, username: 'user', password: 'pencil' })
    const first = async () => {
      const exchange = await mechanism.start({ host: 'kafka1', port: 9093 })
      return (await exchange.next(NOTHING)).toString()
    }
    const messages = [await first(), await first()]
    for (const message of messages) expect(message).toMatch(/^n,,n=user,r=[A-Za-z0-9+/]{32}$/)
    expect(messages[0]).not.toBe(messages[1])
  })

  describe('does not trust a server that', () => {
    it.each([
      ['sends a wrong signature', `v=${Buffer.alloc(32).toString('base64')}`],
      ['sends the beginning of the signature', 'v=6rriTRBi23U='],
      ['sends a signature that is not base64', `${SERVER_FINAL} `],
      ['sends none', 'x=1'],
      ['sends nothing', ''],
    ])('%s', async (_, serverFinal) => {
      const exchange = exchangeOf()
      await exchange.next(NOTHING)
      await exchange.next(Buffer.from(SERVER_FIRST))
      await expect(exchange.next(Buffer.from(serverFinal))).rejects.toMatchObject({
        code: 'SASL_SERVER_NOT_TRUSTED',
      })
      expect(exchange.isComplete).toBe(false)
      // Not on a second try either.
      await expect(exchange.next(Buffer.from(SERVER_FINAL))).rejects.toMatchObject({
        code: 'SASL_SERVER_NOT_TRUSTED',
      })
      expect(exchange.isComplete).toBe(false)
    })

    it.each([
      ['changes the nonce', `r=x${SERVER_NONCE},s=${SALT},i=4096`],
      ['adds nothing to the nonce', `r=${NONCE},s=${SALT},i=4096`],
      ['sends a salt that is not base64', `r=${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ=,i=4096`],
      ['sends a salt with a blank', `r=${SERVER_NONCE},s=W22Z aJ0SNY7soEsUEjb6gQ==,i=4096`],
      ['sends no salt', `r=${SERVER_NONCE},s=,i=4096`],
      ['sends no number of iterations', `r=${SERVER_NONCE},s=${SALT},i=many`],
      ['sends iterations of an odd form', `r=${SERVER_NONCE},s=${SALT},i=04096`],
      ['demands an extension', `m=x,${SERVER_FIRST}`],
      ['ends before it began', SERVER_FINAL],
      ['asks for too few iterations', `r=${SERVER_NONCE},s=${SALT},i=4095`],
      ['asks for too many iterations', `r=${SERVER_NONCE},s=${SALT},i=1000001`],
      ['asks for no end of iterations', `r=${SERVER_NONCE},s=${SALT},i=9999999999`],
    ])('%s', async (_, serverFirst) => {
      await expect(answerTo(serverFirst)).rejects.toMatchObject({
        name: 'AuthenticationError',
        code: 'SASL_SERVER_NOT_TRUSTED',
        retriable: false,
        mechanism: 'SCRAM-SHA-256',
      })
    })
  })

  it('names the option to change when the iterations exceed the limits, and accepts them within others', async () => {
    const few = `r=${SERVER_NONCE},s=${SALT},i=100`
    await expect(answerTo(few)).rejects.toThrow(
      'cannot log in to kafka1:9093 with SCRAM-SHA-256: the broker requests 100 iterations, fewer than minIterations (4096)',
    )
    expect(await answerTo(few, { minIterations: 100 })).toMatch(/^c=biws,/)
    await expect(answerTo(few, { minIterations: 1, maxIterations: 99 })).rejects.toThrow(
      'the broker requests 100 iterations, more than maxIterations (99)',
    )
  })

  it("reports the server's error, in either message", async () => {
    const refused = {
      code: 'SASL_AUTHENTICATION_FAILED',
      message:
        "cannot log in to kafka1:9093 with SCRAM-SHA-256: the broker reported 'unknown-user'",
    }
    await expect(answerTo('e=unknown-user')).rejects.toMatchObject(refused)
    const exchange = exchangeOf()
    await exchange.next(NOTHING)
    await exchange.next(Buffer.from(SERVER_FIRST))
    await expect(exchange.next(Buffer.from('e=unknown-user'))).rejects.toMatchObject(refused)
  })
})
