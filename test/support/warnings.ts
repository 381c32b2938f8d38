import { silentLogger, type Logger } from '../../src/observe/logger.ts'

/** A logger that keeps its warnings, and nothing else. */
export function keepWarnings(): { readonly warnings: readonly string[]; readonly logger: Logger } {
  const warnings: string[] = []
  return { warnings, logger: { ...silentLogger, warn: (text) => void warnings.push(text) } }
}
