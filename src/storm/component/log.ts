import { LOG_LEVELS, type LogLevel, type Outgoing, type StormConf } from '../multilang/messages.ts'
import type { Clock } from './clock.ts'
import { RotatingFile } from './rotating-file.ts'

/** A component's logger, which writes messages from the level `pystorm.log.level` on. */
export interface ComponentLogger {
  /** Writes a line to the worker's log with the level DEBUG. */
  debug(message: string): void
  /** Writes a line to the worker's log with the level INFO. */
  info(message: string): void
  /** Writes a line to the worker's log with the level WARN. */
  warn(message: string): void
  /** Writes a line to the worker's log with the level ERROR. */
  error(message: string): void
}

interface LogOptions {
  readonly conf: StormConf
  readonly names: {
    readonly topology: string
    readonly component: string
    readonly task: number | undefined
    readonly pid: number
  }
  readonly clock: Clock
  send(message: Outgoing): void
}

/**
 * pystorm's levels, which Storm's configuration may contain for a topology that was written for it.
 */
const LEVEL_NAMES: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
}
const FILE_NAME = 'pystorm_{topology_name}_{component_name}_{task_id}_{pid}.log'
const FILE_FORMAT = '%(asctime)s - %(name)s - %(levelname)s - %(message)s'
const MAX_BYTES = 1_000_000
const BACKUPS = 10

/**
 * Creates a logger from pystorm's keys: it writes to a file that is rotated if `pystorm.log.path`
 * is set, otherwise to Storm's own log. Messages below `pystorm.log.level` (default: info; with
 * `topology.debug` all) are not sent.
 */
export function loggerOf(options: LogOptions): ComponentLogger {
  const { conf, names, clock } = options
  const level = conf['topology.debug'] === true ? 'debug' : levelOf(conf['pystorm.log.level'])
  const path = textOf(conf, 'pystorm.log.path')
  const write = path === undefined ? toStorm() : toFile(path)
  const at = (of: LogLevel) =>
    LOG_LEVELS[of] < LOG_LEVELS[level] ? () => undefined : (message: string) => write(of, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }

  function toStorm() {
    const format = textOf(conf, 'pystorm.log.format') ?? '%(message)s'
    return (of: LogLevel, message: string) =>
      options.send({ command: 'log', msg: formatted(format, of, message), level: LOG_LEVELS[of] })
  }

  function toFile(folder: string) {
    const name = (textOf(conf, 'pystorm.log.file') ?? FILE_NAME)
      .replaceAll('{topology_name}', names.topology)
      .replaceAll('{component_name}', names.component)
      .replaceAll('{task_id}', String(names.task))
      .replaceAll('{pid}', String(names.pid))
    const maxBytes = numberOf(conf, 'pystorm.log.max_bytes') ?? MAX_BYTES
    const backups = numberOf(conf, 'pystorm.log.backup_count') ?? BACKUPS
    const file = new RotatingFile(folder, name, maxBytes, backups)
    const format = textOf(conf, 'pystorm.log.format') ?? FILE_FORMAT
    return (of: LogLevel, message: string) => file.append(`${formatted(format, of, message)}\n`)
  }

  /** The Python placeholders that pystorm's formats have. */
  function formatted(format: string, of: LogLevel, message: string): string {
    if (format === '%(message)s') return message
    return format.replace(/%\((\w+)\)[sd]/g, (placeholder, key: string) => {
      switch (key) {
        case 'asctime':
          return new Date(clock.now()).toISOString()
        case 'name':
          return names.component
        case 'levelname':
          return of.toUpperCase()
        case 'process':
          return String(names.pid)
        case 'message':
          return message
        default:
          return placeholder
      }
    })
  }
}

function levelOf(value: unknown): LogLevel {
  return (typeof value === 'string' ? LEVEL_NAMES[value.toLowerCase()] : undefined) ?? 'info'
}

function textOf(conf: StormConf, key: string): string | undefined {
  const value = conf[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function numberOf(conf: StormConf, key: string): number | undefined {
  const value = conf[key]
  return typeof value === 'number' ? value : undefined
}
