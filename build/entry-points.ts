import { readFileSync } from 'node:fs'

/** What users import: `exports` in package.json is the one list of it. */
export interface EntryPoint {
  /** As in an import: `samsa/embedded`. */
  readonly specifier: string
  /** Its source, such as `src/embedded/index.ts`. */
  readonly source: string
}

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

export function entryPoints(): EntryPoint[] {
  const { name, exports } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : {
          specifier: name + path.slice(1),
          source: target.default.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts'),
        },
  )
}
