import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../kafka/cache.ts'

const VERSION = '2.8.0'

/**
 * A Python that has pykafka 2.8.0: the one that PYTHON names, or one in the cache folder, where pykafka is installed when
 * it is first asked for. Undefined where Python is missing, or the installation fails.
 */
export function pythonWithPykafka(): string | undefined {
  const own = process.env['PYTHON']
  if (own !== undefined) return hasPykafka(own) ? own : undefined
  const folder = join(cacheFolder(), `pykafka-${VERSION}`)
  const python = join(folder, 'bin', 'python')
  if (hasPykafka(python)) return python
  const isMade = spawnSync('python3', ['-m', 'venv', folder]).status === 0
  if (!isMade) return undefined
  const install = ['-m', 'pip', 'install', '--quiet', `pykafka==${VERSION}`]
  spawnSync(python, install, { stdio: ['ignore', 'ignore', 'inherit'] })
  return hasPykafka(python) ? python : undefined
}

/** The lines that a script writes which needs pykafka, which must be there. */
export async function runPython(
  scriptAndArguments: readonly string[],
  input = '',
): Promise<readonly string[]> {
  const running = promisify(execFile)(pythonWithPykafka()!, scriptAndArguments, {
    maxBuffer: 2 ** 24,
  })
  running.child.stdin!.end(input)
  return (await running).stdout.trim().split('\n')
}

function hasPykafka(python: string): boolean {
  const check = `import pykafka; assert pykafka.__version__ == '${VERSION}'`
  return spawnSync(python, ['-c', check], { stdio: 'ignore' }).status === 0
}
