import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { signedPayload } from '../../../src/network/sasl/aws-msk-iam.ts'
import { saslMechanismOf } from '../../../src/network/sasl/options.ts'
import { presign } from '../../../src/network/sasl/sigv4.ts'

const EXAMPLE = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const DATE = new Date('2026-01-02T03:04:05.678Z')
const BROKER = { host: 'b-1.example.kafka.us-east-1.amazonaws.com', port: 9098 }

describe('the AWS signature', () => {
  it("matches Amazon's documentation for S3", () => {
    const signed = presign(
      {
        host: 'examplebucket.s3.amazonaws.com',
        path: '/test.txt',
        query: {},
        region: 'us-east-1',
        service: 's3',
        expiresS: 86_400,
        date: new Date('2013-05-24T00:00:00Z'),
        payloadHash: 'UNSIGNED-PAYLOAD',
      },
      {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
    )
    expect(signed.get('X-Amz-Signature')).toBe(
      'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    )
  })

  it('matches botocore for a broker', () => {
    expect(signedPayload(BROKER.host, 'us-east-1', EXAMPLE, DATE)).toEqual({
      version: '2020_10_22',
      host: BROKER.host,
      'user-agent': expect.stringMatching(/^samsa\//),
      action: 'kafka-cluster:Connect',
      'x-amz-algorithm': 'AWS4-HMAC-SHA256',
      'x-amz-credential': 'AKIDEXAMPLE/20260102/us-east-1/kafka-cluster/aws4_request',
      'x-amz-date': '20260102T030405Z',
      'x-amz-expires': '900',
      'x-amz-signedheaders': 'host',
      'x-amz-signature': '550d6f364c8a7302ee075aa9afb123e7692724898e3613e2afd6ccf740548c78',
    })
  })

  it('matches botocore with a session token of special characters', () => {
    const sessionToken = 'IQoJb3JpZ2luX2VjEXAMPLE//token+with/odd=characters (and) *more*!=='
    const host = 'b-1.example.kafka.eu-west-1.amazonaws.com'
    expect(signedPayload(host, 'eu-west-1', { ...EXAMPLE, sessionToken }, DATE)).toMatchObject({
      'x-amz-security-token': sessionToken,
      'x-amz-signature': 'c4d81d426fda5d741b23b9e57b9bd84e18c9bfa4ffdf85884f8fb9af39f0d328',
    })
  })
})

describe('AWS_MSK_IAM', () => {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const
  const before = names.map((name) => process.env[name])
  const restore = (): void =>
    names.forEach((name, index) => {
      const value = before[index]
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    })
  beforeEach(() => names.forEach((name) => Reflect.deleteProperty(process.env, name)))
  afterEach(restore)

  async function payloadOf(
    credentials?: () => typeof EXAMPLE | Promise<typeof EXAMPLE>,
  ): Promise<unknown> {
    const mechanism = saslMechanismOf({
      mechanism: 'AWS_MSK_IAM',
      region: 'us-east-1',
      ...(credentials === undefined ? {} : { credentials }),
    })
    const exchange = await mechanism.start(BROKER)
    return JSON.parse((await exchange.next(Buffer.alloc(0))).toString())
  }

  it('sends the signed payload, and is complete with the response', async () => {
    const mechanism = saslMechanismOf({
      mechanism: 'AWS_MSK_IAM',
      region: 'us-east-1',
      credentials: EXAMPLE,
    })
    const exchange = await mechanism.start(BROKER)
    const payload: unknown = JSON.parse((await exchange.next(Buffer.alloc(0))).toString())
    expect(payload).toMatchObject({ host: BROKER.host, action: 'kafka-cluster:Connect' })
    expect(exchange.isComplete).toBe(false)
    const answer = Buffer.from('{"version":"2020_10_22","request-id":"0ec1"}')
    expect(await exchange.next(answer)).toHaveLength(0)
    expect(exchange.isComplete).toBe(true)
  })

  it.each(['', '{}', 'null', 'no JSON', '{"version":"1"}'])(
    'rejects the response %j',
    async (answer) => {
      const mechanism = saslMechanismOf({
        mechanism: 'AWS_MSK_IAM',
        region: 'us-east-1',
        credentials: EXAMPLE,
      })
      const exchange = await mechanism.start(BROKER)
      await exchange.next(Buffer.alloc(0))
      expect(() => exchange.next(Buffer.from(answer))).toThrow(
        'sent a response that is not valid for AWS_MSK_IAM',
      )
      expect(exchange.isComplete).toBe(false)
    },
  )

  it('accepts credentials from a function, which may return more than necessary', async () => {
    const given = { ...EXAMPLE, accessKeyId: 'AKIDPROVIDED', expiration: new Date() }
    expect(await payloadOf(() => Promise.resolve(given))).toMatchObject({
      'x-amz-credential': expect.stringMatching(/^AKIDPROVIDED\//),
    })
  })

  it('reads credentials from the environment', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDENVIRONMENT'
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret'
    process.env['AWS_SESSION_TOKEN'] = 'a token'
    expect(await payloadOf()).toMatchObject({
      'x-amz-credential': expect.stringMatching(/^AKIDENVIRONMENT\//),
      'x-amz-security-token': 'a token',
    })
  })

  it('fails without credentials', async () => {
    await expect(payloadOf()).rejects.toMatchObject({
      code: 'SASL_CREDENTIALS_UNAVAILABLE',
      message: expect.stringContaining('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set'),
    })
    await expect(payloadOf(() => ({ ...EXAMPLE, accessKeyId: '' }))).rejects.toMatchObject({
      code: 'SASL_CREDENTIALS_UNAVAILABLE',
      message: expect.stringContaining('must have accessKeyId and secretAccessKey'),
    })
  })
})
