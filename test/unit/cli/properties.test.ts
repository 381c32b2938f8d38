import { describe, expect, it } from '@jest/globals'
import { clientOptionsOf, unknownProperties } from '../../../src/cli/client-properties.ts'
import { allCommands, fullProgram } from '../../../src/cli/program.ts'
import { parseProperties } from '../../../src/cli/properties.ts'
import type { SaslOptions } from '../../../src/index.ts'
import { saslMechanismOf } from '../../../src/network/sasl/options.ts'

const noPassword = () => Promise.resolve(undefined)
const optionsOf = (settings: Record<string, string>, askPassword = noPassword) =>
  clientOptionsOf(new Map(Object.entries(settings)), askPassword)

describe('a file of properties', () => {
  it('is parsed as Java parses it', () => {
    const text = [
      '# comment',
      '! comment',
      'a=1',
      'b : 2',
      'c 3',
      'long=one, \\',
      '  two',
      'path=c:\\\\temp\\ttab \\u00e9',
      'empty=',
    ].join('\n')
    expect(Object.fromEntries(parseProperties(text))).toEqual({
      a: '1',
      b: '2',
      c: '3',
      long: 'one, two',
      path: 'c:\\temp\ttab é',
      empty: '',
    })
  })
})

describe('the settings of other clients', () => {
  it("accept Java's spelling of a login", async () => {
    const options = await optionsOf({
      'bootstrap.servers': 'kafka1:9093',
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="a\\"b";',
    })
    expect(options).toMatchObject({
      hosts: 'kafka1:9093',
      tls: {},
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'a"b' },
    })
  })

  it("accept librdkafka's spelling, and ask for a missing password", async () => {
    const options = await clientOptionsOf(
      new Map([
        ['metadata.broker.list', 'kafka1'],
        ['sasl.mechanisms', 'PLAIN'],
        ['sasl.username', 'bob'],
        ['ssl.ca.location', '/ca.pem'],
        ['security.protocol', 'sasl_ssl'],
      ]),
      (username) => Promise.resolve(`secret of ${username}`),
    )
    expect(options).toMatchObject({
      hosts: 'kafka1',
      tls: { ca: '/ca.pem' },
      sasl: { username: 'bob', password: 'secret of bob' },
    })
  })

  it.each([
    [{ 'security.protocol': 'TLS' }, /security\.protocol must be PLAINTEXT, SSL/],
    [{ 'sasl.mechanism': 'PLAIN' }, /PLAIN needs sasl\.username/],
    [{ 'sasl.username': 'alice' }, /PLAIN needs sasl\.password.*--password-file/],
    [{ 'request.timeout.ms': 'soon' }, /request\.timeout\.ms must be a number/],
    [{ 'ssl.truststore.location': '/a.jks' }, /convert it to PEM/],
  ])('are rejected by name if they are invalid: %j', async (settings, message) => {
    await expect(optionsOf(settings as unknown as Record<string, string>)).rejects.toThrow(message)
  })

  it('select one of the mechanisms that the client has, which help lists, too', async () => {
    const names = 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM'
    const unknown = { 'sasl.mechanism': 'GSSAPI' }
    await expect(optionsOf(unknown)).rejects.toThrow(`must be ${names}, not 'GSSAPI'`)
    const program = await fullProgram()
    const topics = allCommands(program).find((command) => command.name() === 'topics')
    const option = topics?.options.find(({ long }) => long === '--mechanism')
    expect(option?.description).toBe(`SASL mechanism: ${names}`)
    const sasl: unknown = { mechanism: 'GSSAPI' }
    expect(() => saslMechanismOf(sasl as SaslOptions)).toThrow(names.replace(' or', ','))
  })

  it('are named if the command does not know them', () => {
    const given = new Map([
      ['bootstrap.server', 'x'],
      ['linger.ms', '5'],
      ['client.id', 'a'],
    ])
    expect(unknownProperties(given)).toEqual(['bootstrap.server'])
  })
})
