import { expect } from '@jest/globals'
import { samsa, type CommandOptions } from './run-command.ts'

/** Runs the command for a cluster, with a configuration folder of its own. */
export class CommandLine {
  readonly #env: Readonly<Record<string, string>>

  constructor(hosts: string, configFolder: string) {
    this.#env = { SAMSA_BROKERS: hosts, XDG_CONFIG_HOME: configFolder }
  }

  /** `line` is split at spaces; an array is taken as it is. */
  async run(line: string | readonly string[], options: CommandOptions = {}) {
    const args = typeof line === 'string' ? line.split(' ') : line
    const { exitCode, stdout, stderr } = await samsa(args, {
      ...options,
      env: { ...this.#env, ...options.env },
    })
    return { exitCode, stdout: stdout.toString(), stderr }
  }

  /** Standard output of a command that must succeed and say nothing. */
  async output(line: string | readonly string[], options: CommandOptions = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(line, options)
    expect({ line, exitCode, stderr }).toEqual({ line, exitCode: 0, stderr: '' })
    return stdout
  }

  async json(line: string | readonly string[], options: CommandOptions = {}): Promise<unknown> {
    const args = typeof line === 'string' ? line.split(' ') : line
    return JSON.parse(await this.output([...args, '--json'], options)) as unknown
  }

  /** Lines of JSON, as `consume --json` and the verifiable commands print them. */
  async events(line: string | readonly string[]): Promise<Record<string, unknown>[]> {
    const text = await this.output(line)
    return text
      .trimEnd()
      .split('\n')
      .map((one) => JSON.parse(one) as Record<string, unknown>)
  }
}
