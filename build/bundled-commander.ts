import type { Plugin } from 'esbuild'
import { createRequire } from 'node:module'

const BUILT_IN = 'built-in modules of commander'

/**
 * Puts commander into the bundle. It is CommonJS, and an ES module has no `require` for the built-in modules that it
 * needs: it gets them from `process`. `child_process`, which only commands in files of their own need, costs several
 * milliseconds and is loaded when it is used.
 */
export const bundledCommander: Plugin = {
  name: 'bundled-commander',
  setup(build) {
    const commander = createRequire(import.meta.url).resolve('commander')
    build.onResolve({ filter: /^commander$/ }, () => ({ path: commander }))
    build.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      importer.includes('/node_modules/commander/') ? { path, namespace: BUILT_IN } : undefined,
    )
    build.onLoad({ filter: /./, namespace: BUILT_IN }, ({ path }) => ({
      contents:
        path === 'node:child_process'
          ? `exports.spawn = (...args) => process.getBuiltinModule('${path}').spawn(...args)`
          : `module.exports = process.getBuiltinModule('${path}')`,
    }))
  },
}
