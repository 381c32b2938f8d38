import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { ALERTS } from '../documents/monitoring.ts'
import { runCommand } from '../run-command.ts'
import { RunningCommand } from '../running-command.ts'
import { TemporaryFolder } from '../temporary-folder.ts'

/** A value that Prometheus has stored, or computed from such values. */
export interface StoredSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** The values of a series over time: milliseconds, and the value. */
export interface StoredHistory {
  readonly metric: Readonly<Record<string, string>>
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** The state of an alert rule, as Prometheus reports it. */
export interface RuleState {
  readonly name: string
  readonly health: 'ok' | 'err' | 'unknown'
  readonly lastError?: string
}

/** Throws an error with the remedy where Prometheus is not installed. */
export async function requirePrometheus(): Promise<void> {
  for (const command of ['prometheus', 'promtool']) {
    await runCommand(command, ['--version']).catch((cause: unknown) => {
      throw new Error(`${command} is not installed. On Debian: apt-get install prometheus`, {
        cause,
      })
    })
  }
}

/** A Prometheus that scrapes one address every second and evaluates the rules of docs/monitoring. */
export class RunningPrometheus implements AsyncDisposable {
  readonly #folder: TemporaryFolder
  readonly #program: RunningCommand
  readonly #url: string

  private constructor(folder: TemporaryFolder, program: RunningCommand, url: string) {
    this.#folder = folder
    this.#program = program
    this.#url = url
  }

  static async start(target: string): Promise<RunningPrometheus> {
    const folder = new TemporaryFolder()
    const config = join(folder.path, 'prometheus.yml')
    writeFileSync(
      config,
      stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [resolve(ALERTS)],
        scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [target] }] }],
      }),
    )
    const program = new RunningCommand('prometheus', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ])
    try {
      const [, address] = await program.printed(/msg="Listening on" address=(\S+)/)
      await program.printed(/Server is ready/)
      return new RunningPrometheus(folder, program, `http://${address}`)
    } catch (error) {
      await program[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
      throw error
    }
  }

  /** The result of an expression at the present time. */
  async query(expr: string): Promise<StoredSample[]> {
    const data = (await this.#get(`query?query=${encodeURIComponent(expr)}`)) as {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>
        readonly value: readonly [time: number, value: string]
      }[]
    }
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }))
  }

  /** The results of an expression over a time, one for each second. */
  async history(expr: string, startMs: number, endMs: number): Promise<StoredHistory[]> {
    const range = `start=${startMs / 1_000}&end=${endMs / 1_000}&step=1`
    const data = (await this.#get(`query_range?query=${encodeURIComponent(expr)}&${range}`)) as {
      readonly result: readonly {
        readonly metric: Readonly<Record<string, string>>
        readonly values: readonly (readonly [time: number, value: string])[]
      }[]
    }
    return data.result.map(({ metric, values }) => ({
      metric,
      points: values.map(([time, value]) => ({ x: time * 1_000, y: Number(value) })),
    }))
  }

  async rules(): Promise<RuleState[]> {
    const data = (await this.#get('rules')) as {
      readonly groups: readonly { readonly rules: readonly RuleState[] }[]
    }
    return data.groups.flatMap(({ rules }) => rules)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#url}/api/v1/${path}`)
    const body = (await response.json()) as {
      readonly status: string
      readonly data?: unknown
      readonly error?: string
    }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
}
