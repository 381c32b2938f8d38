import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its private key as PEM text, and the files they are in. */
export interface Identity {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

export interface CertificateRequest {
  /** The certificate's own name: of a client, its principal for Kafka (`User:CN=…`). */
  readonly commonName: string
  /** Host names and addresses it is valid for. */
  readonly hosts?: readonly string[]
  /** When it begins and ends to be valid, in days from now. Default: yesterday to tomorrow. */
  readonly fromDay?: number
  readonly toDay?: number
  /** Encrypts the key. */
  readonly passphrase?: string
}

/**
 * A certificate authority for tests, made with the `openssl` program in a folder of its own:
 *
 * ```ts
 * using authority = new TestAuthority()
 * const server = authority.issue({ commonName: 'broker', hosts: ['localhost', '127.0.0.1'] })
 * ```
 */
export class TestAuthority implements Disposable {
  readonly folder: string
  readonly cert: string
  readonly certFile: string
  readonly #config: string

  constructor(commonName = 'Test authority') {
    this.folder = mkdtempSync(join(tmpdir(), 'samsa-certificates-'))
    this.certFile = this.#path('ca.pem')
    this.#config = this.#write('openssl.cnf', configOf(this.folder))
    this.#write('index.txt', '')
    const subject = ['-subj', `/CN=${commonName}`]
    this.#newKey('ca.key')
    this.#openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-days',
      '2',
      ...subject,
      '-out',
      'ca.pem',
    )
    this.cert = readFileSync(this.certFile, 'utf8')
  }

  issue(request: CertificateRequest): Identity {
    const { commonName, hosts = [], fromDay = -1, toDay = 1, passphrase } = request
    const id = randomBytes(6).toString('hex')
    const [key, csr, cert, extensions] = [`${id}.key`, `${id}.csr`, `${id}.pem`, `${id}.ext`]
    this.#newKey(key)
    this.#openssl('req', '-new', '-key', key, '-subj', `/CN=${commonName}`, '-out', csr)
    const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`)
    this.#write(
      extensions,
      `extendedKeyUsage=serverAuth,clientAuth\n${names.length > 0 ? `subjectAltName=${names.join(',')}\n` : ''}`,
    )
    const dates = ['-startdate', dateOf(fromDay), '-enddate', dateOf(toDay)]
    this.#openssl(
      'ca',
      '-batch',
      '-notext',
      '-in',
      csr,
      '-out',
      cert,
      '-extfile',
      extensions,
      ...dates,
    )
    if (passphrase !== undefined) {
      const encrypted = ['-v2', 'aes-256-cbc', '-passout', `pass:${passphrase}`]
      this.#openssl('pkcs8', '-topk8', '-in', key, '-out', `${key}.enc`, ...encrypted)
    }
    const keyFile = this.#path(passphrase === undefined ? key : `${key}.enc`)
    return {
      cert: readFileSync(this.#path(cert), 'utf8'),
      key: readFileSync(keyFile, 'utf8'),
      certFile: this.#path(cert),
      keyFile,
    }
  }

  /** A broker's key store: Kafka reads PEM only from 2.7 on, PKCS12 always. Returns the file. */
  keyStore(identity: Identity, password: string): string {
    const file = `${identity.certFile}.p12`
    const input = ['-in', identity.certFile, '-inkey', identity.keyFile, '-certfile', this.certFile]
    const output = ['-name', 'broker', '-out', file, '-passout', `pass:${password}`]
    this.#openssl('pkcs12', '-export', ...input, ...output)
    return file
  }

  /** A store of this authority, for brokers that ask for client certificates. By Java's `keytool`. */
  trustStore(password: string): string {
    const file = this.#path('trust.p12')
    const store = ['-keystore', file, '-storetype', 'PKCS12', '-storepass', password]
    const java = process.env['JAVA_HOME']
    const keytool = java ? join(java, 'bin', 'keytool') : 'keytool'
    run(this.folder, keytool, [
      '-importcert',
      '-noprompt',
      '-alias',
      'ca',
      '-file',
      this.certFile,
      ...store,
    ])
    return file
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #newKey(file: string): void {
    // Small and quickly made; Java reads PKCS 8 only.
    const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
    this.#openssl('genpkey', ...curve, '-out', file)
  }

  #path(name: string): string {
    return join(this.folder, name)
  }

  #write(name: string, text: string): string {
    writeFileSync(this.#path(name), text)
    return this.#path(name)
  }

  #openssl(command: string, ...options: readonly string[]): void {
    const usesConfig = command === 'ca' || command === 'req'
    const config = usesConfig ? ['-config', this.#config] : []
    run(this.folder, 'openssl', [command, ...config, ...options])
  }
}

function configOf(folder: string): string {
  return `
[ca]
default_ca = test
[test]
database = ${join(folder, 'index.txt')}
new_certs_dir = ${folder}
certificate = ${join(folder, 'ca.pem')}
private_key = ${join(folder, 'ca.key')}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = overridden
[authority]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
keyUsage = critical,keyCertSign,cRLSign
`
}

/** 20260102030405Z */
function dateOf(days: number): string {
  const date = new Date(Date.now() + days * 24 * 60 * 60 * 1000)
  return `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`
}

function run(folder: string, program: string, options: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, options, { cwd: folder, encoding: 'utf8' })
  if (error !== undefined) throw new Error(`${program} is missing`, { cause: error })
  if (status !== 0) throw new Error(`${program} ${options.join(' ')} failed:\n${stderr}`)
}
