import { printable } from './printable.ts'

/** Where samsa says what is going on; `console` is one. Without it samsa is silent. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** The same logger, given lines that hold no control characters: brokers' text is a part of some. */
export function printing(logger: Logger): Logger {
  return {
    debug: (message) => logger.debug(printable(message)),
    info: (message) => logger.info(printable(message)),
    warn: (message) => logger.warn(printable(message)),
    error: (message) => logger.error(printable(message)),
  }
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
