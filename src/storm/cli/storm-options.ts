/** The settings with which a topology is submitted, from all their sources. */
import type { Config } from '../topology/declarations.ts'
import type { Environment, LogSettings, Serializer } from './config-file.ts'

/** The settings of the command line. */
export interface GivenOptions {
  readonly ackers?: number
  readonly workers?: number
  readonly debug?: boolean
  /** `--option KEY=VALUE`. */
  readonly option?: Config
}

export interface StormOptionsFrom {
  readonly given: GivenOptions
  /** The topology's own settings. */
  readonly topology: Config
  readonly environment: Pick<Environment, 'options' | 'log'> | undefined
  readonly serializer: Serializer
  /** Whether the jar has samsa's serializers. For JSON, Storm has one as well. */
  readonly hasSerializers: boolean
  /** The number of hosts with workers; 1 for a Storm in one JVM. */
  readonly workerHosts: number
}

const SERIALIZER = 'topology.multilang.serializer'

/**
 * Later sources take precedence: the environment's, the topology's, the command line's, as in
 * streamparse. By default there is one worker and one acker for each host.
 */
export function stormOptions(from: StormOptionsFrom): Config {
  const { given, topology, environment, workerHosts } = from
  const { ackers, workers, debug, option = {} } = given
  const hosts = Math.max(1, workerHosts)
  const settings: Record<string, unknown> = {
    ...serializerOption(from),
    ...environment?.options,
    ...logOptions(environment?.log ?? {}),
    ...topology,
  }
  settings['topology.acker.executors'] ??= hosts
  settings['topology.workers'] ??= hosts
  return {
    ...settings,
    ...(ackers === undefined ? {} : { 'topology.acker.executors': ackers }),
    ...(workers === undefined ? {} : { 'topology.workers': workers }),
    ...(debug === true ? { 'topology.debug': true, 'pystorm.log.level': 'debug' } : {}),
    ...option,
  }
}

function serializerOption({ serializer, hasSerializers }: StormOptionsFrom): Config {
  if (serializer === 'msgpack') return { [SERIALIZER]: 'samsa.storm.MsgpackSerializer' }
  return hasSerializers ? { [SERIALIZER]: 'samsa.storm.JsonSerializer' } : {}
}

function logOptions({ path, file, maxBytes, backupCount, level }: LogSettings): Config {
  return {
    ...(path === undefined ? {} : { 'pystorm.log.path': path }),
    ...(file === undefined ? {} : { 'pystorm.log.file': file }),
    ...(maxBytes === undefined ? {} : { 'pystorm.log.max_bytes': maxBytes }),
    ...(backupCount === undefined ? {} : { 'pystorm.log.backup_count': backupCount }),
    ...(level === undefined ? {} : { 'pystorm.log.level': level }),
  }
}
