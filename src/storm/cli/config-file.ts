/**
 * The config file of a project, with streamparse's keys: the folder of topologies, and the
 * environments.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { Address } from '../thrift/connection.ts'
import { UsageError } from '../../terminal/failure.ts'

export interface LogSettings {
  readonly path?: string
  readonly file?: string
  readonly maxBytes?: number
  readonly backupCount?: number
  readonly level?: string
}

/** A cluster, and the settings for running topologies on it. */
export interface Environment {
  readonly name: string
  readonly nimbus: readonly Address[]
  /** The hosts of the workers. Undefined: Nimbus is asked for them. */
  readonly workers: readonly string[] | undefined
  readonly log: LogSettings
  /** Storm's settings. */
  readonly options: Readonly<Record<string, unknown>>
  readonly serializer: Serializer
  /** The user and port of `ssh`, for logs on other hosts. */
  readonly user: string | undefined
  readonly sshPort: number | undefined
  /** The node on the workers. Default: node. */
  readonly nodePath: string
  /** The folder of Storm's own logs on the workers. Undefined: the logviewers are asked. */
  readonly stormLogPath: string | undefined
  /** The port on which Storm's logviewers listen. Undefined: Nimbus is asked for it. */
  readonly logviewerPort: number | undefined
}

export interface ConfigFile {
  /** The folder of topologies. Default: topologies. */
  readonly topologies: string
  /** The path of the module with hooks. */
  readonly hooks: string | undefined
  readonly external: readonly string[]
  readonly resources: readonly string[]
  readonly serializer: Serializer
  readonly environments: ReadonlyMap<string, Environment>
}

export type Serializer = 'json' | 'msgpack'

const NIMBUS_PORT = 6627
/**
 * streamparse's keys for Python's virtualenvs and its SSH tunnels: they are accepted, and have no
 * effect here.
 */
const WITHOUT_EFFECT = [
  ...['use_virtualenv', 'install_virtualenv', 'virtualenv_root', 'virtualenv_path'],
  ...['virtualenv_name', 'virtualenv_flags', 'use_ssh_for_nimbus', 'ssh_password', 'sudo_user'],
  ...['ui.port'],
]
const TOP_KEYS = [
  ...['serializer', 'topology_specs', 'virtualenv_specs', 'envs', 'hooks', 'external'],
  ...['resources', 'library', 'topologies'],
]
const ENVIRONMENT_KEYS = [
  ...['nimbus', 'workers', 'log', 'log_path', 'log_file', 'options', 'serializer', 'user'],
  ...['ssh_port', 'node_path', 'logviewer_port', 'storm_log_path'],
]
const LOG_KEYS = ['path', 'file', 'max_bytes', 'backup_count', 'level']

/**
 * Reads the file. If it does not exist and its name was not given, there are no environments.
 * Throws UsageError.
 */
export function readConfigFile(
  path: string,
  isAsked: boolean,
  variables: Readonly<Record<string, string | undefined>>,
): ConfigFile {
  if (!existsSync(path)) {
    if (isAsked) throw new UsageError(`the file ${path} does not exist`)
    return configOf({}, path, variables)
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(
      `${path} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  return configOf(parsed, path, variables)
}

function configOf(
  parsed: unknown,
  path: string,
  variables: Readonly<Record<string, string | undefined>>,
): ConfigFile {
  const top = new Section(parsed, path)
  top.allow(TOP_KEYS)
  const serializer = serializerOf(top, 'json')
  const environments = Object.entries(top.object('envs') ?? {}).map(([name, of]) => {
    const section = new Section(of, `${path}: envs.${name}`)
    return [name, environmentOf(name, section, serializer, variables)] as const
  })
  return {
    topologies: top.text('topology_specs') ?? top.text('topologies') ?? 'topologies',
    hooks: top.text('hooks'),
    external: top.texts('external') ?? [],
    resources: top.texts('resources') ?? [],
    serializer,
    environments: new Map(environments),
  }
}

function environmentOf(
  name: string,
  section: Section,
  serializer: Serializer,
  variables: Readonly<Record<string, string | undefined>>,
): Environment {
  section.allow([...ENVIRONMENT_KEYS, ...WITHOUT_EFFECT])
  const log = new Section(section.object('log') ?? {}, `${section.where}.log`)
  log.allow(LOG_KEYS)
  const nimbus = section.texts('nimbus') ?? []
  const variable = variables['STREAMPARSE_NIMBUS'] ?? ''
  const seeds = nimbus.some((one) => one !== '') ? nimbus : variable === '' ? [] : [variable]
  const workers = section.texts('workers') ?? []
  return {
    name,
    nimbus: seeds.flatMap((text) => text.split(',')).map((text) => addressOf(text, section.where)),
    workers: workers.length === 0 ? undefined : workers,
    log: definedOf({
      path: log.text('path') ?? section.text('log_path'),
      file: log.text('file') ?? section.text('log_file'),
      maxBytes: log.number('max_bytes'),
      backupCount: log.number('backup_count'),
      level: log.text('level')?.toLowerCase(),
    }),
    options: section.object('options') ?? {},
    serializer: serializerOf(section, serializer),
    user: section.text('user'),
    sshPort: section.number('ssh_port'),
    nodePath: section.text('node_path') ?? 'node',
    stormLogPath: section.text('storm_log_path'),
    logviewerPort: section.number('logviewer_port'),
  }
}

function serializerOf(section: Section, otherwise: Serializer): Serializer {
  const text = section.text('serializer') ?? otherwise
  if (text === 'json' || text === 'msgpack') return text
  throw new UsageError(`${section.where}: serializer must be json or msgpack`)
}

/** `host`, `host:port` or `[address]:port`. */
function addressOf(text: string, where: string): Address {
  const match = /^\s*(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?\s*$/.exec(text)
  const port = match?.[3] === undefined ? NIMBUS_PORT : Number(match[3])
  const host = match?.[1] ?? match?.[2]
  if (host !== undefined && port > 0 && port < 65_536) return { host, port }
  throw new UsageError(`${where}: '${text}' is not an address of Nimbus, such as nimbus:6627`)
}

function definedOf(values: {
  readonly [Key in keyof LogSettings]: LogSettings[Key] | undefined
}): LogSettings {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** An object in the file. Errors contain its position. */
class Section {
  readonly where: string
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: unknown, where: string) {
    this.where = where
    if (!isObject(values)) throw new UsageError(`${where} must be an object`)
    this.#values = values
  }

  allow(keys: readonly string[]): void {
    const unknown = Object.keys(this.#values).find((key) => !keys.includes(key))
    if (unknown === undefined) return
    throw new UsageError(
      `${this.where}: the key '${unknown}' is unknown; the keys are ${keys.join(', ')}`,
    )
  }

  /**
   * A text; an empty one counts as left out, because streamparse's quickstart writes empty ones.
   */
  text(key: string): string | undefined {
    const value = this.#values[key]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string') return value
    throw new UsageError(`${this.where}: ${key} must be a string`)
  }

  /** A text, or an array of them. */
  texts(key: string): readonly string[] | undefined {
    const value = this.#values[key]
    if (value === undefined || value === null) return undefined
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (list.every((one) => typeof one === 'string')) return list
    throw new UsageError(`${this.where}: ${key} must be a string or an array of strings`)
  }

  number(key: string): number | undefined {
    const value = this.#values[key]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw new UsageError(`${this.where}: ${key} must be a whole number`)
  }

  object(key: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#values[key]
    if (value === undefined || value === null) return undefined
    if (isObject(value)) return value
    throw new UsageError(`${this.where}: ${key} must be an object`)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
