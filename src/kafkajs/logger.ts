import type * as samsa from '../index.ts'
import { logLevel } from './enums.ts'
import type { logCreator, Logger, LogEntry } from './types/common.ts'

type Level = Exclude<keyof typeof logLevel, 'NOTHING'>

/** The default `logCreator`: a line of JSON on the console for each entry. */
export const consoleLogCreator: logCreator = () => (entry: LogEntry) => {
  const { namespace, level, label, log } = entry
  const message = `${namespace ? `[${namespace}] ` : ''}${log.message}`
  const line = JSON.stringify({ level: label, ...log, message })
  if (level === logLevel.ERROR) console.error(line)
  else if (level === logLevel.WARN) console.warn(line)
  else if (level === logLevel.INFO) console.info(line)
  else console.log(line)
}

/** The level that the environment variable KAFKAJS_LOG_LEVEL names; without it, `given`. */
function levelOf(given: logLevel): logLevel
function levelOf(given: logLevel | undefined): logLevel | undefined
function levelOf(given: logLevel | undefined): logLevel | undefined {
  const name = (process.env['KAFKAJS_LOG_LEVEL'] ?? '').toUpperCase()
  // `hasOwn` does not narrow the type of the name.
  return Object.hasOwn(logLevel, name) ? logLevel[name as Level] : given
}

/** Creates a logger. `setLogLevel` applies to all of its namespaces, except those with a level of their own. */
export function createLogger(level: logLevel = logLevel.INFO, creator = consoleLogCreator): Logger {
  let current = levelOf(level)
  const write = creator(current)

  const loggerFor = (namespace: string | undefined, own: logLevel | undefined): Logger => {
    const at =
      (label: Level) =>
      (message: string, extra: object = {}) => {
        const entryLevel = logLevel[label]
        if (entryLevel > (own ?? current)) return
        const log = { timestamp: new Date().toISOString(), logger: 'kafkajs', message, ...extra }
        // kafkajs declares a string, but the entries of a logger without a namespace have none.
        write({ namespace: namespace as string, level: entryLevel, label, log })
      }
    return {
      info: at('INFO'),
      error: at('ERROR'),
      warn: at('WARN'),
      debug: at('DEBUG'),
      namespace: (name, nameLevel) => loggerFor(name, levelOf(nameLevel ?? undefined)),
      setLogLevel: (next) => {
        current = next
      },
    }
  }
  return loggerFor(undefined, undefined)
}

/** Passes samsa's log entries to the application's log. Entries of level info are of level debug there. */
export function loggerForSamsa(logger: Logger): samsa.Logger {
  const own = logger.namespace('Samsa')
  return {
    debug: (message) => own.debug(message),
    info: (message) => own.debug(message),
    warn: (message) => own.warn(message),
    error: (message) => own.error(message),
  }
}
