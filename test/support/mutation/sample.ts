import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomFrom } from '../balanced/storm/random.ts'

/** Lines of a file that are mutated together: about a function. */
const CHUNK_LINES = 12

/**
 * The parts of a folder's source that a mutation run changes, in Stryker's notation (`file:first-last`): all of it, or
 * a share of its chunks of 12 lines. The same seed chooses the same chunks of the same source.
 */
export function sampleOf(folder: string, share: number, seed: number): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort()
  if (share >= 1) return files
  const random = randomFrom(seed)
  return files.flatMap((file) => {
    const lines = readFileSync(file, 'utf8').split('\n').length
    const firsts = Array.from({ length: Math.ceil(lines / CHUNK_LINES) }, (_, n) => n * CHUNK_LINES)
    return firsts
      .filter(() => random() < share)
      .map((first) => `${file}:${first + 1}-${Math.min(lines, first + CHUNK_LINES)}`)
  })
}
