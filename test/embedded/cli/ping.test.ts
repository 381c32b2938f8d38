import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { builtCommand } from '../../support/built.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { CommandLine } from '../../support/cli-cluster.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

interface Step {
  readonly broker: string
  readonly step: string
  readonly tookMs?: number
  readonly error?: string
  readonly hint?: string
}

describe('samsa ping', () => {
  let authority: TestAuthority
  let folder: TemporaryFolder
  let secure: EmbeddedCluster
  let plain: EmbeddedCluster
  let login: string

  beforeAll(async () => {
    builtCommand()
    authority = new TestAuthority()
    folder = new TemporaryFolder()
    const { cert, key } = authority.issue({
      commonName: 'broker',
      hosts: ['localhost', '127.0.0.1'],
    })
    secure = await EmbeddedCluster.start({
      tls: { cert, key },
      sasl: { users: { alice: 'alice-secret' } },
    })
    plain = await EmbeddedCluster.start()
    const password = join(folder.path, 'password')
    writeFileSync(password, 'alice-secret\n')
    writeFileSync(join(folder.path, 'wrong'), 'wrong\n')
    login = `--user alice --mechanism SCRAM-SHA-256 --password-file ${password}`
  })
  afterAll(async () => {
    await secure[Symbol.asyncDispose]()
    await plain[Symbol.asyncDispose]()
    authority[Symbol.dispose]()
    folder[Symbol.dispose]()
  })

  /** The steps, and the last line for people. */
  async function ping(hosts: string, line = '') {
    const samsa = new CommandLine(hosts, folder.path)
    const more = line === '' ? [] : line.split(' ')
    const { exitCode, stdout, stderr } = await samsa.run(['ping', '--json', ...more])
    return { exitCode, steps: JSON.parse(stdout) as Step[], stderr }
  }

  async function failsAt(step: string, hosts: string, line: string, hint: RegExp): Promise<void> {
    const { exitCode, steps, stderr } = await ping(hosts, line)
    expect(exitCode).toBe(1)
    expect(steps.filter(({ error }) => error !== undefined)).toMatchObject([{ step }])
    expect(stderr).toMatch(/^samsa: [^\n]*\n$/)
    expect(stderr).toContain(`${step} failed: `)
    expect(stderr).toMatch(hint)
  }

  it('names every step of a connection with its duration', async () => {
    const { exitCode, steps, stderr } = await ping(
      secure.hosts,
      `${login} --ca ${authority.certFile}`,
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(steps.map(({ step }) => step)).toEqual([
      'DNS',
      'TCP',
      'TLS',
      'versions',
      'login',
      'metadata',
      // The broker is the one at the bootstrap address, whose connection is kept.
      'round trip',
    ])
    for (const { tookMs } of steps) expect(tookMs).toBeGreaterThanOrEqual(0)
  })

  it('reports a name that does not resolve', async () => {
    await failsAt('DNS', 'no-such-host.invalid:9092', '', /does not resolve|does not respond/)
  })

  it('reports that nothing listens', async () => {
    await failsAt('TCP', '127.0.0.1:1', '', /Nothing listens on this port/)
  })

  it('reports an untrusted certificate, and a port without TLS', async () => {
    await failsAt('TLS', secure.hosts, `${login} --tls`, /--ca/)
    await failsAt('TLS', plain.hosts, '--tls', /--tls/)
  })

  it('reports a port that requires TLS', async () => {
    // It is closed without a word, so that the first request fails: the hint names TLS.
    await failsAt('versions', secure.hosts, '', /--tls/)
  })

  it('reports a server that is not a broker', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const hosts = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await failsAt('versions', hosts, '', /not a broker/)
    server.close()
  })

  it('reports a wrong password and a missing login', async () => {
    const wrong = login.replace(/password$/, 'wrong')
    await failsAt('login', secure.hosts, `${wrong} --ca ${authority.certFile}`, /Check the user/)
    await failsAt('login', secure.hosts, `--ca ${authority.certFile}`, /login/)
  })

  it('reports a broker that does not describe the cluster', async () => {
    plain.faults.on({ api: 'DescribeCluster' }, { drop: true })
    try {
      await failsAt('metadata', plain.hosts, '--connect-timeout 3s', /see its log/)
    } finally {
      plain.faults.clear()
    }
  })

  it('reports a message that makes no round trip', async () => {
    plain.createTopic('trip')
    expect(await ping(plain.hosts, '--topic trip')).toMatchObject({ exitCode: 0 })
    plain.faults.on({ api: 'Produce' }, { error: 'TOPIC_AUTHORIZATION_FAILED' })
    try {
      await failsAt('produce, consume', plain.hosts, '--topic trip', /samsa acls/)
    } finally {
      plain.faults.clear()
    }
  })
})
