import { Writable } from 'node:stream'
import { format } from 'node:util'
import type { ComponentLogger } from '../component/log.ts'

/**
 * Reserves standard output for the protocol: output of the application, through `console` or
 * `process.stdout`, becomes lines of the log. The real `process.stdout` is never used, because that
 * would make its descriptor non-blocking.
 */
export function reserveStdout(logger: () => ComponentLogger): void {
  const stdout = new LogLines((line) => logger().info(line))
  Object.defineProperty(process, 'stdout', { value: stdout, configurable: true, enumerable: true })
  console.log = (...values: unknown[]) => logger().info(format(...values))
  console.info = console.log
  console.dir = (value: unknown) => logger().info(format('%O', value))
  console.table = (...values: unknown[]) => logger().info(format('%O', values[0]))
  console.debug = (...values: unknown[]) => logger().debug(format(...values))
  console.warn = (...values: unknown[]) => logger().warn(format(...values))
  console.error = (...values: unknown[]) => logger().error(format(...values))
  console.trace = (...values: unknown[]) => {
    logger().info(`${format(...values)}\n${new Error('trace').stack}`)
  }
}

/** A stream whose lines are logged, except blank ones. */
export class LogLines extends Writable {
  readonly #log: (line: string) => void
  #rest = ''

  constructor(log: (line: string) => void) {
    super({ decodeStrings: false })
    this.#log = log
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    const lines = (this.#rest + chunk.toString()).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) if (line.trim() !== '') this.#log(line)
    done()
  }
}
