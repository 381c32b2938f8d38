import { readFileSync } from 'node:fs'

/**
 * What users import and run. `exports` and `bin` in package.json are the one list of it, from which the bundle, the
 * declarations, the API reports, the reference, the layout rules and the tests of the package follow.
 */
export interface EntryPoint {
  /** As in an import: `samsa/embedded`. */
  readonly specifier: string
  /** Its source, such as `src/embedded/index.ts`. */
  readonly source: string
}

/** A command, such as `samsa`. */
export interface CommandEntry {
  readonly name: string
  /** Its source, such as `src/cli/main.ts`. */
  readonly source: string
  /** What it is built to, such as `dist/src/cli/main.js`. */
  readonly built: string
}

interface Manifest {
  readonly name: string
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

export function entryPoints(): EntryPoint[] {
  const { name, exports } = manifest()
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : {
          specifier: name + path.slice(1),
          source: sourceOf(target.default),
        },
  )
}

export function commandEntries(): CommandEntry[] {
  return Object.entries(manifest().bin).map(([name, built]) => ({
    name,
    source: sourceOf(built),
    built,
  }))
}

function manifest(): Manifest {
  return JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
}

function sourceOf(built: string): string {
  return built.replace(/^(?:\.\/)?dist\/(.*)\.js$/, '$1.ts')
}
