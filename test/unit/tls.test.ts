import { afterAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import {
  connect,
  createServer as createTlsServer,
  type TLSSocket,
  type TlsOptions as ServerOptions,
} from 'node:tls'
import { inspect } from 'node:util'
import type { TlsError } from '../../src/errors.ts'
import {
  explainTlsError,
  prepareTls,
  tlsConnectOptions,
  type TlsOptions,
} from '../../src/network/tls.ts'
import { TestAuthority } from '../support/certificates.ts'

const authority = new TestAuthority()
const stranger = new TestAuthority('Stranger')
afterAll(() => {
  authority[Symbol.dispose]()
  stranger[Symbol.dispose]()
})

const LOCAL = ['localhost', '127.0.0.1']
const server = authority.issue({ commonName: 'broker', hosts: LOCAL })
const client = authority.issue({ commonName: 'client' })
const PASSPHRASE = 'open sesame'
const locked = authority.issue({ commonName: 'client', passphrase: PASSPHRASE })

interface Outcome {
  /** The server name asked for, and the client's own name, as the server saw them. */
  readonly asked?: string | false | null | undefined
  readonly clientName?: string | string[] | undefined
  readonly protocol?: string | null
  readonly error?: TlsError | undefined
}

/** Connects to a server of its own until the server greets, or something goes wrong. */
async function tryConnect(
  server: Server,
  options: TlsOptions,
  host = 'localhost',
): Promise<Outcome> {
  const seen: { asked?: Outcome['asked']; clientName?: Outcome['clientName'] } = {}
  server.on('secureConnection', (socket: TLSSocket) => {
    seen.asked = socket.servername
    const { subject } = socket.getPeerCertificate() as Partial<
      ReturnType<typeof socket.getPeerCertificate>
    >
    seen.clientName = subject?.CN
    socket.on('error', () => undefined)
    socket.write('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it has no port')
  const socket = connect({
    ...tlsConnectOptions(prepareTls(options), host),
    host: '127.0.0.1',
    port: address.port,
  })
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      socket.on('data', () => resolve({ ...seen, protocol: socket.getProtocol() }))
      socket.on('error', (error: Error) =>
        resolve({ error: explainTlsError(error, 'kafka1:9093') }),
      )
      socket.on('close', () => reject(new Error('it was closed')))
    })
  } finally {
    socket.destroy()
    server.close()
  }
}

/** Certificates are checked against the host that is asked for, not the one connected to. */
const tryTls = (serverOptions: ServerOptions, options: TlsOptions, host?: string) =>
  tryConnect(createTlsServer(serverOptions), options, host)

const trusting = { ca: authority.cert }

describe('TLS to a server', () => {
  it('is established if the authority is trusted and the host name matches', async () => {
    const outcome = await tryTls(server, trusting)
    expect(outcome).toEqual({ asked: 'localhost', protocol: 'TLSv1.3' })
  })

  it('accepts an authority from a file, a Buffer, or a list', async () => {
    const several = [stranger.cert, authority.certFile, Buffer.from(server.cert)]
    for (const ca of [authority.certFile, Buffer.from(authority.cert), several]) {
      expect(await tryTls(server, { ca })).toMatchObject({ protocol: 'TLSv1.3' })
    }
  })

  it('sends no server name for an address, and still verifies it', async () => {
    expect(await tryTls(server, trusting, '127.0.0.1')).toMatchObject({ asked: false })
    const other = authority.issue({ commonName: 'broker', hosts: ['localhost', '127.0.0.2'] })
    const { error } = await tryTls(other, trusting, '127.0.0.1')
    expect(error).toMatchObject({ reason: 'HOSTNAME_MISMATCH' })
  })

  it('sends and verifies the given server name instead of the host', async () => {
    const options = { ...trusting, servername: 'localhost' }
    expect(await tryTls(server, options, 'tunnel.example')).toMatchObject({ asked: 'localhost' })
    expect(await tryTls(server, options, '127.0.0.1')).toMatchObject({ asked: 'localhost' })
    const wrong = await tryTls(server, { ...trusting, servername: 'other.example' }, 'localhost')
    expect(wrong.error).toMatchObject({ reason: 'HOSTNAME_MISMATCH' })
  })

  it('accepts a host name with its final dot', async () => {
    expect(await tryTls(server, trusting, 'localhost.')).toMatchObject({ asked: 'localhost' })
  })

  it('never falls back to TLS 1.1', async () => {
    const old: ServerOptions = {
      ...server,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }
    const { error } = await tryTls(old, trusting)
    expect(error).toMatchObject({ reason: 'NO_COMMON_PROTOCOL' })
    expect(await tryTls({ ...server, maxVersion: 'TLSv1.2' }, trusting)).toMatchObject({
      protocol: 'TLSv1.2',
    })
  })
})

describe('TLS is refused with the reason:', () => {
  const failure = async (serverOptions: ServerOptions, options: TlsOptions, host?: string) =>
    (await tryTls(serverOptions, options, host)).error

  it('an untrusted authority', async () => {
    const error = await failure(server, { ca: stranger.cert })
    expect(error).toMatchObject({
      name: 'TlsError',
      code: 'TLS_HANDSHAKE_FAILED',
      reason: 'UNTRUSTED_CERTIFICATE',
      retriable: false,
      broker: 'kafka1:9093',
      message: expect.stringMatching(
        /^kafka1:9093 has a certificate of an untrusted authority: set tls\.ca .* \(/,
      ),
    })
    // As it is with the system's authorities.
    expect(await failure(server, {})).toMatchObject({ reason: 'UNTRUSTED_CERTIFICATE' })
    const chain = { ...server, cert: server.cert + authority.cert }
    expect(await failure(chain, {})).toMatchObject({ reason: 'UNTRUSTED_CERTIFICATE' })
  })

  it('a self-signed certificate', async () => {
    const { cert, key } = await selfSigned()
    expect(await failure({ cert, key }, trusting)).toMatchObject({
      reason: 'UNTRUSTED_CERTIFICATE',
    })
  })

  it('a certificate of another host', async () => {
    const other = authority.issue({ commonName: 'localhost', hosts: ['other.example'] })
    expect(await failure(other, trusting)).toMatchObject({
      reason: 'HOSTNAME_MISMATCH',
      message: expect.stringMatching(/other hosts.*tls\.servername.*other\.example/),
    })
  })

  it('a certificate that has expired, or is not yet valid', async () => {
    const hosts = LOCAL
    const old = authority.issue({ commonName: 'broker', hosts, fromDay: -3, toDay: -1 })
    expect(await failure(old, trusting)).toMatchObject({ reason: 'CERTIFICATE_EXPIRED' })
    const early = authority.issue({ commonName: 'broker', hosts, fromDay: 1, toDay: 3 })
    expect(await failure(early, trusting)).toMatchObject({ reason: 'CERTIFICATE_NOT_YET_VALID' })
  })

  it('a server without TLS that speaks HTTP', async () => {
    const { error } = await tryConnect(createHttpServer(), trusting)
    expect(error).toMatchObject({
      reason: 'NO_TLS',
      message: expect.stringContaining('does not use TLS'),
    })
  })

  it('a connection that ends in the handshake, as that to a Kafka without TLS, which may be retried', async () => {
    const endings = [
      createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
      createServer((socket) => socket.once('data', () => socket.end())),
    ]
    for (const ending of endings) {
      const { error } = await tryConnect(ending, trusting)
      expect(error).toMatchObject({ reason: 'CONNECTION_LOST', retriable: true })
    }
  })

  it('a required client certificate that is missing', async () => {
    const asking: ServerOptions = { ...server, ca: authority.cert, requestCert: true }
    expect(await failure(asking, trusting)).toMatchObject({
      reason: 'CLIENT_CERTIFICATE_REQUIRED',
      message: expect.stringContaining('tls.cert and tls.key'),
    })
    // TLS 1.2 has no word for it.
    expect(await failure({ ...asking, maxVersion: 'TLSv1.2' }, trusting)).toMatchObject({
      message: expect.stringContaining('tls.cert and tls.key'),
    })
  })

  it.each([
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'CLIENT_CERTIFICATE_REJECTED'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'CLIENT_CERTIFICATE_REJECTED'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'CLIENT_CERTIFICATE_REJECTED'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'CLIENT_CERTIFICATE_REJECTED'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'CLIENT_CERTIFICATE_REQUIRED'],
    ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'OTHER'],
    ['ERR_SSL_SOMETHING_NEW', 'OTHER'],
  ])('%s', (code, reason) => {
    const text =
      '80BC:error:0A000412:SSL routines:ssl3_read_bytes:the words:file.c:1601:SSL alert\n'
    const error = explainTlsError(Object.assign(new Error(text), { code }), 'kafka1:9093')
    expect(error).toMatchObject({ reason, retriable: false })
    const asks = /CERTIFICATE_REQUIRED|BAD_CERTIFICATE/.test(code)
    expect(error?.message).toContain(asks ? 'set tls.cert and tls.key' : 'the words')
    expect(error?.message).not.toContain('file.c')
  })

  it('EPROTO, by its message', () => {
    const text =
      'write EPROTO 80BC:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:f:1:'
    const error = explainTlsError(Object.assign(new Error(text), { code: 'EPROTO' }), 'kafka1:9093')
    expect(error).toMatchObject({ reason: 'NO_TLS' })
  })

  it('but not an error that is unrelated to TLS', () => {
    const error = (code: string) => Object.assign(new Error(code), { code })
    expect(explainTlsError(error('ECONNREFUSED'), 'kafka1:9093')).toBeUndefined()
    expect(explainTlsError(error('ECONNRESET'), 'kafka1:9093', false)).toBeUndefined()
    expect(explainTlsError(new Error('odd'), 'kafka1:9093')).toBeUndefined()
    expect(explainTlsError(undefined, 'kafka1:9093')).toBeUndefined()
  })
})

describe('the dangerous TLS options', () => {
  const other = authority.issue({ commonName: 'broker', hosts: ['other.example'] })

  it('disable the host name check only', async () => {
    const options = { ...trusting, dangerouslySkipHostnameCheck: true }
    expect(await tryTls(other, options)).toMatchObject({ asked: 'localhost' })
    const { error } = await tryTls(other, { ...options, ca: stranger.cert })
    expect(error).toMatchObject({ reason: 'UNTRUSTED_CERTIFICATE' })
  })

  it('trust any certificate', async () => {
    const options = { dangerouslyTrustAnyCertificate: true }
    expect(await tryTls(other, options)).toMatchObject({ protocol: 'TLSv1.3' })
  })

  it('are the only ones, because environment variables have no effect', async () => {
    const name = 'NODE_TLS_REJECT_UNAUTHORIZED'
    const before = process.env[name]
    process.env[name] = '0'
    try {
      const { error } = await tryTls(server, { ca: stranger.cert })
      expect(error).toMatchObject({ reason: 'UNTRUSTED_CERTIFICATE' })
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = before
    }
  })
})

describe('client certificates', () => {
  const asking: ServerOptions = { ...server, ca: authority.cert, requestCert: true }

  it.each([
    ['text', { cert: client.cert, key: client.key }],
    ['files', { cert: client.certFile, key: client.keyFile }],
    ['Buffers', { cert: Buffer.from(client.cert), key: Buffer.from(client.key) }],
    ['a chain', { cert: [client.cert, authority.certFile], key: client.key }],
    ['an encrypted key', { cert: locked.certFile, key: locked.keyFile, passphrase: PASSPHRASE }],
  ])('are presented from %s', async (_, options) => {
    const outcome = await tryTls(asking, { ...trusting, ...options })
    expect(outcome).toMatchObject({ clientName: 'client' })
  })
})

describe('prepareTls', () => {
  const nowhere = join(authority.folder, 'nowhere.pem')
  const settings = join(__dirname, '..', '..', 'package.json')
  const bare = client.key.replaceAll(/-----[^-]+-----/g, '').trim()
  const refusals: [what: string, options: unknown, message: RegExp][] = [
    ['an unknown option', { rejectUnauthorized: false }, /tls has no option 'rejectUnauthorized'/],
    ['a certificate without its key', { cert: client.cert }, /'cert' and 'key' belong together/],
    ['a key without its certificate', { key: client.key }, /'cert' and 'key' belong together/],
    ['a file that does not exist', { ca: nowhere }, /option 'ca': .*ENOENT.*nowhere\.pem/],
    ['a file without PEM', { ca: settings }, /option 'ca': .*package\.json holds no CERTIFICATE/],
    ['a key as authority', { ca: client.keyFile }, /option 'ca': .*\.key holds no CERTIFICATE/],
    [
      'a certificate as key',
      { cert: client.cert, key: client.cert },
      /option 'key': .*holds no PRIVATE KEY/,
    ],
    ['no authority at all', { ca: [] }, /option 'ca' is empty/],
    ['a number', { ca: 1 }, /option 'ca' must be PEM text or the path of a file/],
    [
      'a damaged authority',
      { ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----' },
      /option 'ca': a certificate cannot be read/,
    ],
    [
      'half an authority',
      { ca: authority.cert.slice(0, 200) },
      /option 'ca': a certificate cannot be read: no end of it/,
    ],
    [
      "another certificate's key",
      { cert: client.cert, key: server.key },
      /'key' is not the key of option 'cert'/,
    ],
    [
      'an encrypted key without its passphrase',
      { cert: locked.cert, key: locked.key },
      /passphrase of option 'key' is wrong or missing/,
    ],
    [
      'a wrong passphrase',
      { cert: locked.cert, key: locked.key, passphrase: 'open barley' },
      /passphrase of option 'key' is wrong or missing/,
    ],
    ['a passphrase of another kind', { passphrase: 1 }, /'passphrase' must be a non-empty string/],
    ['a key without its first line', { cert: client.cert, key: bare }, /neither PEM text.* nor/],
    ['an address as server name', { servername: '127.0.0.1' }, /'servername' must be a host name/],
  ]
  it.each(refusals)('rejects %s without showing a secret', (_, options, message) => {
    let refusal: unknown
    try {
      prepareTls(options as TlsOptions)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringMatching(message),
    })
    const shown = inspect(refusal, { depth: 10, showHidden: true })
    for (const secret of [PASSPHRASE, 'open barley', bare.slice(0, 40)]) {
      expect(shown).not.toContain(secret)
    }
  })

  it('names the passphrase for each of 1,500 wrong passphrases, also when the padding fits by chance', () => {
    const others = new Set<string>()
    for (let index = 0; index < 1_500; index++) {
      try {
        prepareTls({ cert: locked.cert, key: locked.key, passphrase: `wrong ${index}` })
        others.add('no error')
      } catch (error) {
        const text = String(error)
        if (!text.includes("the passphrase of option 'key' is wrong or missing")) others.add(text)
      }
    }
    expect([...others]).toEqual([])
  })

  it('hides key and passphrase', () => {
    const { cert, key } = locked
    const prepared = prepareTls({ cert, key, passphrase: PASSPHRASE })
    const shown = [prepared, tlsConnectOptions(prepared, 'localhost')].flatMap((one) => [
      inspect(one, { depth: 10, showHidden: true }),
      JSON.stringify(one),
    ])
    expect(shown.join('\n')).not.toMatch(/sesame|PRIVATE|MII/)
  })

  it('creates one context for all connections', () => {
    const prepared = prepareTls(trusting)
    const contexts = ['kafka1', 'kafka2'].map(
      (host) => tlsConnectOptions(prepared, host).secureContext,
    )
    expect(contexts[0]).toBe(contexts[1])
  })
})

async function selfSigned(): Promise<{ cert: string; key: string }> {
  const { readFile } = await import('node:fs/promises')
  const [cert, key] = [join(stranger.folder, 'self.pem'), join(stranger.folder, 'self.key')]
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const options = ['req', '-x509', ...ec, '-keyout', key, '-out', cert, '-subj', '/CN=self']
  const { status, stderr } = spawnSync('openssl', options, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
}
