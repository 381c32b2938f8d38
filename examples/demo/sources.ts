import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Sources {
  readonly files: number
  /** As bytes, without newlines. */
  readonly lines: readonly Buffer[]
}

/** All lines of the TypeScript files of this repository. */
export async function readSources(): Promise<Sources> {
  const names: string[] = []
  for (const folder of ['src', 'protocol', 'examples', 'test', 'benchmarks']) {
    const found = await readdir(folder, { recursive: true })
    names.push(
      ...found
        .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
        .map((name) => join(folder, name)),
    )
  }
  const lines: Buffer[] = []
  for (const name of names.sort()) {
    const text = await readFile(name, 'utf8')
    lines.push(
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => Buffer.from(line)),
    )
  }
  return { files: names.length, lines }
}
