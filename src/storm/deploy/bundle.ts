/** A topology's file and all its imports, as one CommonJS file with its source map. */
import type { BuildFailure, BuildOptions, Message, OutputFile } from 'esbuild'
import { StormError } from '../errors.ts'

export interface Bundle {
  readonly code: Uint8Array
  readonly map: Uint8Array
}

export interface BundleOptions {
  /** Packages that are not in the bundle: they must be installed on the workers. */
  readonly external?: readonly string[]
}

/** An optional peer of samsa, which may not be installed. */
const IF_INSTALLED = /^@msgpack\/msgpack$/

/** Throws StormError if esbuild is missing, and for a file that does not compile. */
export async function bundleTopology(file: string, options: BundleOptions = {}): Promise<Bundle> {
  const [code, map] = await bundleFile(file, {
    format: 'cjs',
    sourcemap: 'linked',
    external: [...(options.external ?? [])],
    // CommonJS has no import.meta.
    banner: { js: 'const __file_url = require("node:url").pathToFileURL(__filename).href;' },
    define: {
      'import.meta.url': '__file_url',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
    },
  })
  return { code: code!, map: map! }
}

/** Bundles an ES module for this process, such as the file with hooks. */
export async function bundleModule(file: string): Promise<Uint8Array> {
  const [code] = await bundleFile(file, { format: 'esm', packages: 'external' })
  return code!
}

/** The code, then the source map if there is one. */
async function bundleFile(file: string, options: BuildOptions): Promise<readonly Uint8Array[]> {
  const { build } = await loadEsbuild()
  try {
    const { outputFiles } = await build({
      entryPoints: [file],
      outfile: 'bundle.cjs',
      write: false,
      bundle: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      plugins: [
        {
          name: 'optional peers',
          setup: (esbuild) => {
            esbuild.onResolve({ filter: IF_INSTALLED }, async ({ path, pluginData, ...from }) => {
              if (pluginData === IF_INSTALLED) return undefined
              const { errors } = await esbuild.resolve(path, { ...from, pluginData: IF_INSTALLED })
              return errors.length === 0 ? undefined : { path, external: true }
            })
          },
        },
      ],
      ...options,
    })
    const isMap = ({ path }: OutputFile): boolean => path.endsWith('.map')
    const files = outputFiles ?? []
    return [...files.filter((one) => !isMap(one)), ...files.filter(isMap)].map(
      ({ contents }) => contents,
    )
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    const problems = error.errors.map(textOf).join('\n')
    throw new StormError('INVALID_TOPOLOGY', problems, undefined, error)
  }
}

async function loadEsbuild(): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild')
  } catch (error) {
    const reason =
      'the package esbuild, which bundles topologies, is missing: npm install --save-dev esbuild'
    throw new StormError('MISSING_PACKAGE', reason, undefined, error)
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function textOf({ text, location }: Message): string {
  if (location === null) return text
  return `${location.file}:${location.line}:${location.column}: ${text}`
}
