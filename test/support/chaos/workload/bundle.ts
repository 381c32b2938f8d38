import { buildSync } from 'esbuild'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

let bundle: string | undefined

/** The clients' program as one file of JavaScript, which starts in a tenth of the time of its sources. */
export function workerBundle(): string {
  if (bundle !== undefined) return bundle
  // Beside the packages that it imports.
  const folder = resolve('node_modules/.cache/samsa-chaos')
  mkdirSync(folder, { recursive: true })
  const outfile = resolve(folder, `worker-${process.pid}.mjs`)
  buildSync({
    entryPoints: ['test/support/chaos/workload/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
  })
  bundle = outfile
  return outfile
}
