/** A real Apache Storm as on a cluster: ZooKeeper, Nimbus and a Supervisor that starts workers, each a process. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { JavaProcess } from '../kafka/java.ts'
import { freePorts } from '../kafka/ports.ts'
import { isProcessAlive } from '../kafka/process-birth.ts'
import { waitFor } from '../kafka/wait.ts'
import { TemporaryFolder } from '../temporary-folder.ts'
import { stormLibs } from './local-storm.ts'

const HERE = 'test/support/storm'
/** On a machine that has much else to do. */
const WAIT_MS = 300_000
const QUICK = ['-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true']

export interface StormClusterOptions {
  /** How many workers there may be. Default: 2. */
  readonly slots?: number
  /** More of storm.yaml. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly workerHeapMb?: number
}

/** Started by `start`, ended by `await using`, with all that it has started. */
export class StormCluster implements AsyncDisposable {
  /** `host:port` of Nimbus. */
  readonly nimbus: string
  /** `storm.home`: its logs are in `logs`. */
  readonly home: string
  readonly #folder = new TemporaryFolder()
  readonly #daemons: JavaProcess[] = []

  private constructor(nimbusPort: number) {
    this.nimbus = `127.0.0.1:${nimbusPort}`
    this.home = join(this.#folder.path, 'storm')
  }

  static async start(options: StormClusterOptions = {}): Promise<StormCluster> {
    const { slots = 2 } = options
    const [zookeeperPort = 0, nimbusPort = 0, ...slotPorts] = await freePorts(2 + slots)
    const cluster = new StormCluster(nimbusPort)
    try {
      await cluster.#start(options, zookeeperPort, nimbusPort, slotPorts)
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  get logs(): string {
    return join(this.home, 'logs')
  }

  /** What a daemon has said. */
  log(name: 'zookeeper' | 'nimbus' | 'supervisor'): string {
    return readFileSync(join(this.logs, `${name}.out`), 'utf8')
  }

  /** All that workers have logged, of all topologies. */
  workerLogs(): string {
    const folder = join(this.logs, 'workers-artifacts')
    if (!existsSync(folder)) return ''
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('worker.log'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n')
  }

  /** The processes of workers and of their components: each leaves a file named by its pid. */
  workerPids(): number[] {
    const workers = join(this.home, 'local', 'workers')
    if (!existsSync(workers)) return []
    return readdirSync(workers)
      .map((id) => join(workers, id, 'pids'))
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder).map(Number))
      .filter(isProcessAlive)
  }

  /** The JVMs among them. */
  workerJvms(): number[] {
    const pids = this.workerPids()
    if (pids.length === 0) return []
    const listed = spawnSync('ps', ['-o', 'pid=,comm=', '-p', pids.join(',')], { encoding: 'utf8' })
    return [...listed.stdout.matchAll(/^\s*(\d+) java$/gm)].map(([, pid]) => Number(pid))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Workers first: a Supervisor that goes leaves them running.
    const [supervisor, ...others] = [...this.#daemons].reverse()
    await supervisor?.stop(0)
    for (const pid of this.workerPids()) end(pid)
    await waitFor(() => (this.workerPids().length === 0 ? true : undefined), {
      timeoutMs: 20_000,
      everyMs: 50,
      onTimeout: () => new Error('workers have outlived SIGKILL'),
    })
    for (const daemon of others) await daemon.stop(2_000)
    this.#folder[Symbol.dispose]()
  }

  async #start(
    { settings = {}, workerHeapMb = 192 }: StormClusterOptions,
    zookeeperPort: number,
    nimbusPort: number,
    slotPorts: readonly number[],
  ): Promise<void> {
    const { home, logs } = this
    const libs = await stormLibs()
    for (const name of ['conf', 'logs', 'zk', 'log4j2', 'lib-worker']) {
      await mkdir(join(home, name), { recursive: true })
    }
    await symlink(libs, join(home, 'lib'))
    for (const name of readdirSync(libs).filter((one) => one.endsWith('.jar'))) {
      await symlink(join(libs, name), join(home, 'lib-worker', name))
    }
    await copyFile(resolve(HERE, 'worker.xml'), join(home, 'log4j2', 'worker.xml'))
    await copyFile(resolve(HERE, 'log4j2.xml'), join(home, 'log4j2', 'cluster.xml'))
    const zoo = join(home, 'conf', 'zoo.cfg')
    await writeFile(
      zoo,
      `tickTime=2000\ndataDir=${join(home, 'zk')}\nclientPort=${zookeeperPort}\nclientPortAddress=127.0.0.1\n`,
    )
    // YAML takes JSON.
    const yaml = join(home, 'conf', 'storm.yaml')
    await writeFile(
      yaml,
      JSON.stringify({
        'storm.zookeeper.servers': ['127.0.0.1'],
        'storm.zookeeper.port': zookeeperPort,
        'storm.local.hostname': '127.0.0.1',
        'storm.local.dir': join(home, 'local'),
        'nimbus.seeds': ['127.0.0.1'],
        'nimbus.thrift.port': nimbusPort,
        'supervisor.slots.ports': slotPorts,
        'worker.childopts': `-Xmx${workerHeapMb}m ${QUICK.join(' ')}`,
        'topology.worker.max.heap.size.mb': workerHeapMb,
        // Figures after 5 s instead of a minute.
        'executor.metrics.frequency.secs': 5,
        'storm.health.check.dir': join(home, 'none'),
        ...settings,
      }),
    )
    const storm = (name: string): string[] => [
      `-Dstorm.home=${home}`,
      `-Dstorm.log.dir=${logs}`,
      `-Dstorm.conf.file=${yaml}`,
      '-Dstorm.options=',
      `-Ddaemon.name=${name}`,
      `-Dlogfile.name=${name}.log`,
    ]
    const start = (
      name: string,
      mainClass: string,
      jvmArguments: string[],
      args: string[] = [],
    ): void => {
      this.#daemons.push(
        new JavaProcess({
          ...{ name, libs, mainClass, folder: home, arguments: args },
          jvmArguments: [
            ...QUICK,
            `-Dlog4j2.configurationFile=${resolve(HERE, 'log4j2.xml')}`,
            ...jvmArguments,
          ],
          logFile: join(logs, `${name}.out`),
        }),
      )
    }
    const zookeeper = 'org.apache.storm.shade.org.apache.zookeeper.server.ZooKeeperServerMain'
    start('zookeeper', zookeeper, ['-Xmx96m', '-Dzookeeper.admin.enableServer=false'], [zoo])
    start('nimbus', 'org.apache.storm.daemon.nimbus.Nimbus', ['-Xmx256m', ...storm('nimbus')])
    start('supervisor', 'org.apache.storm.daemon.supervisor.Supervisor', [
      '-Xmx256m',
      ...storm('supervisor'),
    ])
  }

  /** Throws what has ended, with its last lines. */
  checkRunning(): void {
    for (const daemon of this.#daemons) {
      if (daemon.ended === undefined) continue
      throw new Error(`${daemon.name} has ended (${daemon.ended}):\n${daemon.logTail()}`)
    }
  }

  /** Resolves when this is so. */
  async until(
    isSo: () => boolean | Promise<boolean>,
    what: string,
    timeoutMs = WAIT_MS,
  ): Promise<void> {
    await waitFor(
      async () => {
        this.checkRunning()
        return (await isSo()) ? true : undefined
      },
      {
        timeoutMs,
        everyMs: 100,
        onTimeout: () =>
          new Error(
            `not in ${timeoutMs} ms: ${what}\n${this.workerLogs().slice(-6_000)}\n${this.log('nimbus').slice(-2_000)}`,
          ),
      },
    )
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
