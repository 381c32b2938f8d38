import { printable } from './printable.ts'

/** Receives samsa's log lines; `console` is one. Without a logger samsa logs nothing. */
export interface Logger {
  /** Logs details that help to find an error. */
  debug(message: string): void
  /** Logs events for operators, such as a rebalance. */
  info(message: string): void
  /** Logs problems that samsa handles, or that will need attention. */
  warn(message: string): void
  /** Logs failures that are not retried. */
  error(message: string): void
}

/**
 * Returns the same logger with control characters removed from its lines, because some contain text from brokers. A
 * logger that throws, or whose promise rejects, does not affect samsa: there is nowhere to report it.
 */
export function printing(
  logger: Readonly<Record<keyof Logger, (message: string) => unknown>>,
): Logger {
  const to = (level: keyof Logger) => (message: string) => {
    try {
      // Loggers may be async functions, which the type cannot exclude.
      const logged = logger[level](printable(message))
      if (logged instanceof Promise) logged.catch(() => undefined)
    } catch {
      // See above.
    }
  }
  return { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') }
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
