import { printable } from './printable.ts'

/** Where samsa says what is going on; `console` is one. Without it samsa is silent. */
export interface Logger {
  /** Logs what is of use for finding an error only. */
  debug(message: string): void
  /** Logs what an operator may want to know, such as a rebalance. */
  info(message: string): void
  /** Logs what went wrong and is being handled, or will have to be. */
  warn(message: string): void
  /** Logs failures that are not retried. */
  error(message: string): void
}

/**
 * The same logger, given lines that hold no control characters: brokers' text is a part of some. A logger that
 * throws, or whose promise rejects, changes nothing of what samsa does: there is nowhere to report it.
 */
export function printing(
  logger: Readonly<Record<keyof Logger, (message: string) => unknown>>,
): Logger {
  const to = (level: keyof Logger) => (message: string) => {
    try {
      // Loggers may be async functions, which the type cannot keep out.
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
