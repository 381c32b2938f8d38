import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Debian's own Python comes first: the one that Debian's packages are for. */
export const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3'

/** Whether Python is there, and has these modules. */
export function pythonHas(modules: readonly string[]): boolean {
  return spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`]).status === 0
}
