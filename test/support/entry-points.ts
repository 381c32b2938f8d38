import { readFileSync } from 'node:fs'

/** What users import: `exports` in package.json is the one list of it. */
export interface EntryPoint {
  /** As in an import: `samsa/embedded`. */
  readonly specifier: string
  /** Its source, such as `src/embedded/index.ts`. */
  readonly source: string
}

export function entryPoints(): EntryPoint[] {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    name: string
    exports: Record<string, string | { default: string }>
  }
  return Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : {
          specifier: manifest.name + path.slice(1),
          source: target.default.replace(/^\.\/dist\/(.*)\.js$/, '$1.ts'),
        },
  )
}
