/**
 * The client loads some of its parts later, by `import()`. For esbuild each of these is an entry point like those of
 * package.json, and it makes a chunk for each combination of entry points that share a module: the client alone would
 * consist of 27 files, each of which takes 0.5 ms of a program's start. But these parts are loaded by the client only,
 * so that everything they share with it is loaded already. An import of the client, added to each of them in the build,
 * tells esbuild that; no code comes of it, because the client has no side effects.
 */
import type { Plugin } from 'esbuild'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const CLIENT = resolve('src/index.ts')
/** The commands load the client as one of their parts. */
const COMMANDS = /^src\/(cli|storm)\//

export const loadedLater: Plugin = {
  name: 'parts that the client loads later',
  setup(build) {
    const parts = partsLoadedLater()
    build.initialOptions.logOverride = { 'ignored-bare-import': 'silent' }
    build.onLoad({ filter: /\.ts$/ }, ({ path }) =>
      parts.has(path)
        ? {
            contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(CLIENT)}\n`,
            loader: 'ts',
          }
        : undefined,
    )
  },
}

function partsLoadedLater(): ReadonlySet<string> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name))
    .filter((file) => file.endsWith('.ts') && !COMMANDS.test(file))
  return new Set(
    files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\bimport\('(\.[^']+)'\)/g)].map(([, path]) =>
        resolve(dirname(file), path!),
      ),
    ),
  )
}
