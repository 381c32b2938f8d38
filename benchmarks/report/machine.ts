import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { javaAvailable } from '../../test/support/kafka/java.ts'

/** What figures depend on besides the clients. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGB: number
  readonly system: string
  readonly java: string
  /** The commit that was measured, with a + where files differ from it. */
  readonly commit: string
}

export function thisMachine(): Machine {
  const cores = cpus()
  return {
    processor: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    java: javaAvailable() ?? 'none',
    commit: commit(),
  }
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
    const isChanged = git('status', '--porcelain', '--', 'src', 'protocol', 'benchmarks') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}
