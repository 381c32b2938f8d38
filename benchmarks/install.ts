/**
 * `npm run bench:peers`: installs the clients that samsa is measured against, under benchmarks/peers. What
 * can't be installed is named with the reason; the others can be measured all the same.
 */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { mavenJars } from '../test/support/kafka/download.ts'
import { messageOf } from '../test/support/kafka/wait.ts'

const PEERS = resolve('benchmarks/peers')
const TOOLS = join(PEERS, 'tools')
const NATIVE = join(PEERS, 'native')
const KAFKA_TOOLS = '4.3.1'
/** The crate that holds librdkafka's sources with its examples, which no other package has. */
const RDKAFKA_CRATE = 'rdkafka-sys@4.10.0+2.12.1'

interface Step {
  readonly installs: string
  readonly needs: string
  readonly run: () => void | Promise<void>
}

const steps: readonly Step[] = [
  {
    installs: 'kafkajs, @platformatic/kafka and Node.js 24',
    needs: 'npm',
    run: () => call('npm', ['ci'], { cwd: PEERS }),
  },
  {
    installs: 'node-rdkafka and @confluentinc/kafka-javascript',
    needs:
      'a C++ compiler, make and Python, and of Debian: libssl-dev zlib1g-dev liblz4-dev libzstd-dev libsasl2-dev libcurl4-openssl-dev',
    run: installNative,
  },
  {
    installs: "the Java client's performance tools",
    needs: 'a JDK and Maven',
    run: installJavaTools,
  },
  {
    installs: "librdkafka's performance tool",
    needs: 'cargo, which fetches its source, a C compiler, and the librdkafka of kafka-javascript',
    run: installPerformanceTool,
  },
  {
    installs: 'kafka-python, confluent-kafka, pykafka and pystorm',
    needs: 'Python 3 with venv',
    run: installPython,
  },
]

/** They are compiled for the Node.js of the peers, whose headers come along with it. */
function installNative(): void {
  const { platform, arch } = process
  const headers = join(PEERS, `node_modules/node/node_modules/node-${platform}-${arch}`)
  call('npm', ['ci'], {
    cwd: NATIVE,
    env: {
      ...process.env,
      npm_config_nodedir: headers,
      npm_config_build_from_source: 'true',
      CKJS_LINKING: 'dynamic',
    },
  })
}

async function installJavaTools(): Promise<void> {
  const tools = `org.apache.kafka:kafka-tools:${KAFKA_TOOLS}`
  const jars = await mavenJars(`kafka-tools-${KAFKA_TOOLS}`, [tools])
  const link = join(TOOLS, 'kafka-tools')
  rmSync(link, { recursive: true, force: true })
  symlinkSync(jars, link)
  const classes = join(TOOLS, 'classes')
  mkdirSync(classes, { recursive: true })
  const sources = ['Launcher', 'Rebalance', 'Share', 'Transactions', 'AdminCalls'].map((name) =>
    resolve(`benchmarks/clients/driver/${name}.java`),
  )
  call('javac', ['-cp', join(link, '*'), '-d', classes, ...sources])
}

function installPerformanceTool(): void {
  const library = join(NATIVE, 'node_modules/@confluentinc/kafka-javascript')
  const built = join(library, 'build/deps')
  if (!existsSync(built)) throw new Error('kafka-javascript is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'samsa-rdkafka-'))
  try {
    call('cargo', ['init', '--quiet', '--name', 'sources', folder])
    call('cargo', ['add', '--quiet', RDKAFKA_CRATE.replace('@', '@=')], { cwd: folder })
    call('cargo', ['vendor', '--quiet', 'vendor'], { cwd: folder })
    const source = join(folder, 'vendor/rdkafka-sys/librdkafka/examples/rdkafka_performance.c')
    const headers = join(library, 'deps/librdkafka/src')
    const target = join(TOOLS, 'rdkafka_performance')
    const linking = ['-L', built, '-lrdkafka', `-Wl,-rpath,${built}`]
    call('cc', ['-O2', '-w', '-I', headers, '-o', target, source, ...linking])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function installPython(): void {
  const folder = join(PEERS, 'python')
  if (!existsSync(join(folder, 'bin/python'))) call('python3', ['-m', 'venv', folder])
  call(join(folder, 'bin/pip'), ['install', '--quiet', '-r', join(PEERS, 'requirements.txt')])
}

/** At low priority: compiling takes minutes. */
function call(program: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  const { status, error, stdout, stderr } = spawnSync('nice', ['-n', '19', program, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  })
  if (error !== undefined) throw error
  if (status === 0) return
  const log = join(mkdtempSync(join(tmpdir(), 'samsa-peers-')), 'output.log')
  writeFileSync(log, `${String(stdout)}\n${String(stderr)}`)
  throw new Error(`${program} ${args.join(' ')} ended with code ${status}; its output: ${log}`)
}

async function main(): Promise<void> {
  mkdirSync(TOOLS, { recursive: true })
  for (const { installs, needs, run } of steps) {
    console.log(`Installing ${installs} …`)
    try {
      await run()
    } catch (error) {
      console.error(`  NOT installed: ${messageOf(error)}\n  It needs ${needs}.`)
      process.exitCode = 1
    }
  }
}

void main()
