import { spawnSync } from 'node:child_process'

/** Debian's own comes first: its package python3-kazoo is for that one. */
const PYTHONS = ['/usr/bin/python3', 'python3'] as const

/** A Python that has kazoo, if there is one. */
export function pythonWithKazoo(): string | undefined {
  return PYTHONS.find((python) => spawnSync(python, ['-c', 'import kazoo']).status === 0)
}
