import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { events } from '../support/events.ts'

const MAX_VALUES = 1_000
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** The values that all clients send: text as an application's events have it, the same in each run. */
export class Values implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samsa-bench-'))
  readonly #files = new Map<number, string>()

  /** A file of different values, all of this length, one for each line. */
  file(valueBytes: number): string {
    let file = this.#files.get(valueBytes)
    if (file === undefined) {
      file = join(this.#folder, `values-${valueBytes}`)
      writeFileSync(file, `${valuesOf(valueBytes).join('\n')}\n`)
      this.#files.set(valueBytes, file)
    }
    return file
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function valuesOf(valueBytes: number): string[] {
  const count = Math.max(2, Math.min(MAX_VALUES, Math.floor(MAX_FILE_BYTES / valueBytes)))
  const text = textOf(count * valueBytes)
  return Array.from({ length: count }, (_, index) =>
    text.slice(index * valueBytes, (index + 1) * valueBytes),
  )
}

function textOf(length: number): string {
  const parts: string[] = []
  let size = 0
  for (const event of events()) {
    parts.push(event)
    size += event.length
    if (size >= length) break
  }
  return parts.join('').slice(0, length)
}
