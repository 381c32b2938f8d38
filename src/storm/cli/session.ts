import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Interrupt } from '../../terminal/interrupt.ts'
import { outputColumns } from '../../terminal/columns.ts'
import { renderTable, type Column } from '../../terminal/table.ts'
import { visibleText } from '../../terminal/visible.ts'
import { packageTopology, type PackagedTopology } from '../deploy/package.ts'
import type { TopologySummary } from '../thrift/structures.ts'
import { Nimbus } from '../thrift/nimbus.ts'
import { readConfigFile, type ConfigFile, type Environment } from './config-file.ts'
import { UsageError } from '../../terminal/failure.ts'

/** The options that many commands share. */
export interface CommonOptions {
  readonly config?: string
  readonly environment?: string
  readonly name?: string
  readonly timeout?: number
  readonly json?: boolean
}

const CONFIG_FILE = 'config.json'
const TOPOLOGY_FILE = /\.(?:[cm]?ts|[cm]?js)$/

/**
 * The state of a running command: the project in the current folder, a connection, and the handling
 * of Ctrl-C.
 */
export class Session implements Disposable {
  readonly options: CommonOptions
  readonly interrupt = new Interrupt()
  #config: ConfigFile | undefined
  #nimbus: Nimbus | undefined

  constructor(options: CommonOptions) {
    this.options = options
  }

  [Symbol.dispose](): void {
    this.interrupt[Symbol.dispose]()
    this.#nimbus?.[Symbol.dispose]()
  }

  /** Throws UsageError. */
  get config(): ConfigFile {
    const { config } = this.options
    this.#config ??= readConfigFile(config ?? CONFIG_FILE, config !== undefined, process.env)
    return this.#config
  }

  /** The named environment, or the only one; undefined if there is none. Throws UsageError. */
  get environmentIfAny(): Environment | undefined {
    const { environments } = this.config
    const { environment: name } = this.options
    const known = [...environments.keys()].join(', ')
    if (name !== undefined) {
      const found = environments.get(name)
      if (found !== undefined) return found
      throw new UsageError(
        `the config file has no environment '${name}'; it has ${known || 'none'}`,
      )
    }
    if (environments.size > 1) {
      throw new UsageError(`the config file has several environments: choose one with -e: ${known}`)
    }
    return [...environments.values()][0]
  }

  /** Throws UsageError if there is none. */
  get environment(): Environment {
    const found = this.environmentIfAny
    if (found !== undefined) return found
    throw new UsageError(
      `${CONFIG_FILE} has no environment: add one to 'envs', with the address of its 'nimbus'`,
    )
  }

  /** A connection to the environment's Nimbus, opened by the first call. Throws StormError. */
  async nimbus(): Promise<Nimbus> {
    const { nimbus: seeds, name } = this.environment
    if (seeds.length === 0) {
      throw new UsageError(`the environment '${name}' has no 'nimbus' in the config file`)
    }
    const { timeout } = this.options
    this.#nimbus ??= await Nimbus.connect({
      seeds,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    })
    return this.#nimbus
  }

  /** The file of the named topology, or the only one. Throws UsageError. */
  topologyFile(): string {
    const { topologies: folder } = this.config
    const names = existsSync(folder)
      ? readdirSync(folder).filter((name) => TOPOLOGY_FILE.test(name) && !name.includes('.d.'))
      : []
    const { name } = this.options
    const known = names.map(stemOf).join(', ')
    if (name !== undefined) {
      const found = names.find((file) => file === name || stemOf(file) === name)
      if (found !== undefined) return join(folder, found)
      throw new UsageError(`${folder} has no topology '${name}'; it has ${known || 'none'}`)
    }
    const [only, ...others] = names
    if (only !== undefined && others.length === 0) return join(folder, only)
    throw new UsageError(
      only === undefined
        ? `${folder} has no topology: create a project with 'sparse quickstart NAME'`
        : `there are several topologies: choose one with -n: ${known}`,
    )
  }

  /** Bundles the project's topology. Throws StormError. */
  package(environment: Environment | undefined, resourcesToo = true): Promise<PackagedTopology> {
    const { external, resources } = this.config
    return packageTopology({
      file: this.topologyFile(),
      environment: environment?.name,
      external,
      resources: resourcesToo ? resources : [],
    })
  }

  /** The topology on the cluster that `-n` names, or the only one. */
  async runningTopology(): Promise<TopologySummary> {
    const nimbus = await this.nimbus()
    const { name } = this.options
    if (name !== undefined) return nimbus.topologyNamed(name)
    const all = await nimbus.topologies()
    const [only, ...others] = all
    if (only !== undefined && others.length === 0) return only
    throw new UsageError(
      only === undefined
        ? 'the cluster has no running topology'
        : `there are several topologies: choose one with -n: ${all.map((one) => one.name).join(', ')}`,
    )
  }

  /** Prints a table, or with `--json` the same as data. */
  print<Row>(columns: readonly Column<Row>[], rows: readonly Row[], data: unknown = rows): void {
    if (this.options.json === true) this.printJson(data)
    else if (rows.length > 0) {
      process.stdout.write(renderTable(columns, rows, outputColumns()))
    }
  }

  printJson(data: unknown): void {
    process.stdout.write(
      `${JSON.stringify(data, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`,
    )
  }

  /**
   * Prints the outcome of a command without a table: with `--json` as data, otherwise on standard
   * error.
   */
  report(data: unknown, text: string): void {
    if (this.options.json === true) this.printJson(data)
    else this.note(text)
  }

  /** Prints a note on standard error. */
  note(text: string): void {
    process.stderr.write(`${visibleText(text)}\n`)
  }
}

function stemOf(file: string): string {
  return basename(file).replace(TOPOLOGY_FILE, '')
}
