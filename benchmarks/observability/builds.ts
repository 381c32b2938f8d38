/** Builds samsa for a measurement: the files here, those of a commit, or the files here with a switch for counting. */
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CUTS } from './counting.ts'

/** What is built. A commit before the observability work has only the first. */
const ENTRIES = [
  'src/index.ts',
  'src/prometheus/index.ts',
  'src/opentelemetry/index.ts',
  'src/observe/telemetry/pusher.ts',
  'src/observe/telemetry/application-metrics.ts',
]
const SOURCES = ['src', 'protocol', 'package.json']

export interface Source {
  /** The commit to build. Default: the files here. */
  readonly commit?: string
  /** Whether counting can be switched off. */
  readonly isSwitched?: true
}

/** Returns the folder of the built modules. */
export async function buildSamsa(folder: string, { commit, isSwitched }: Source): Promise<string> {
  mkdirSync(folder)
  if (commit === undefined) {
    for (const name of SOURCES) cpSync(name, join(folder, name), { recursive: true })
  } else {
    const archive = join(folder, 'commit.tar')
    execFileSync('git', ['archive', '--output', archive, commit, ...SOURCES])
    execFileSync('tar', ['-x', '-f', archive, '-C', folder])
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  if (isSwitched === true) addSwitch(folder)
  const outdir = join(folder, 'dist')
  await build({
    absWorkingDir: folder,
    entryPoints: ENTRIES.filter((entry) => existsSync(join(folder, entry))),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    outbase: 'src',
    outdir,
    logLevel: 'warning',
  })
  return outdir
}

function addSwitch(folder: string): void {
  for (const { file, text, replacement } of CUTS) {
    const path = join(folder, file)
    writeFileSync(path, readFileSync(path, 'utf8').replace(text, replacement))
  }
}
