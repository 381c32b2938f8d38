import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { builtCommand } from '../built.ts'
import { npm } from '../packed.ts'
import { runCommand } from '../run-command.ts'
import { TemporaryFolder } from '../temporary-folder.ts'

/** The packages over kafkajs that are tested, and what they need. */
const PACKAGES = {
  kafkajs: '2.2.4',
  // Microservices.
  '@nestjs/common': '12.5.1',
  '@nestjs/core': '12.5.1',
  '@nestjs/microservices': '12.1.1',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
  // Tracing: the newest versions that Node.js 20 runs.
  '@opentelemetry/api': '1.9.1',
  '@opentelemetry/context-async-hooks': '2.12.1',
  '@opentelemetry/core': '2.12.1',
  '@opentelemetry/instrumentation': '0.223.0',
  '@opentelemetry/instrumentation-kafkajs': '0.32.0',
  '@opentelemetry/sdk-metrics': '2.12.1',
  '@opentelemetry/sdk-trace-base': '2.12.1',
  // Codecs, logins, metrics.
  'kafkajs-snappy': '1.1.0',
  '@jm18457/kafkajs-msk-iam-authentication-mechanism': '4.0.0',
  'aws-msk-iam-sasl-signer-js': '1.0.3',
  '@christiangalsterer/kafkajs-prometheus-exporter': '3.2.1',
  'prom-client': '15.1.3',
}

const PROGRAMS = 'test/kafkajs-packages/programs'
const OPTIONS = [
  '--no-audit',
  '--no-fund',
  '--no-package-lock',
  '--prefer-offline',
  '--ignore-scripts',
]
const TIMEOUT_MS = 180_000

export const LIBRARIES = ['kafkajs', 'samsa'] as const
export type LibraryName = (typeof LIBRARIES)[number]

/** Two applications with the same packages: `kafkajs` is the one from npm in one, and the alias for samsa in the other. */
export class Applications implements Disposable {
  readonly #folder = new TemporaryFolder()

  async install(): Promise<void> {
    builtCommand()
    const theirs = this.folderOf('kafkajs')
    const ours = this.folderOf('samsa')
    cpSync(PROGRAMS, theirs, { recursive: true })
    this.#write('kafkajs', PACKAGES)
    await npm(['install', ...OPTIONS], theirs)
    cpSync(theirs, ours, { recursive: true })
    const pack = ['pack', '--ignore-scripts', '--pack-destination', this.#folder.path]
    await npm(pack)
    await npm([...pack, resolve('packages/kafkajs')])
    this.#write('samsa', {
      ...PACKAGES,
      samsa: `file:${this.#archive(/^samsa-/)}`,
      kafkajs: `file:${this.#archive(/^kafkajs-samsa-/)}`,
    })
    await npm(['install', ...OPTIONS], ours)
  }

  folderOf(library: LibraryName): string {
    return join(this.#folder.path, library)
  }

  /** Runs a program of test/kafkajs-packages/programs to its end, and returns what it reports. */
  async run(
    library: LibraryName,
    program: string,
    env: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const prefix = `${library}-${Math.random().toString(36).slice(2, 10)}`
    const result = await runCommand(process.execPath, [`${program}.mjs`], {
      cwd: this.folderOf(library),
      timeoutMs: TIMEOUT_MS,
      env: { KAFKAJS_NO_PARTITIONER_WARNING: '1', ...env, PREFIX: prefix },
    })
    const output = result.stdout.toString()
    const line = output.split('\n').find((one) => one.startsWith('RESULT '))
    if (line === undefined) {
      throw new Error(`${program} with ${library} has no result:\n${output}${result.stderr}`)
    }
    return JSON.parse(line.slice('RESULT '.length))
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }

  #archive(name: RegExp): string {
    return join(
      this.#folder.path,
      readdirSync(this.#folder.path).find((one) => name.test(one))!,
    )
  }

  #write(library: LibraryName, dependencies: Readonly<Record<string, string>>): void {
    const content = JSON.stringify({ name: 'application', private: true, dependencies })
    writeFileSync(join(this.folderOf(library), 'package.json'), content)
  }
}
