import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const MAX_VALUES = 1_000
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** The values that all clients send: text as an application's events have it, the same in each run. */
export class Values implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'samsa-bench-'))
  readonly #files = new Map<number, string>()

  /** A file of different values, all so long, a line each. */
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
  const text = events(count * valueBytes)
  return Array.from({ length: count }, (_, index) =>
    text.slice(index * valueBytes, (index + 1) * valueBytes),
  )
}

function events(length: number): string {
  let state = 42
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
  const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']
  const actions = ['view', 'click', 'purchase', 'login', 'logout']
  const parts: string[] = []
  for (let id = 0, size = 0; size < length; id++) {
    const event = JSON.stringify({
      id,
      user: users[random(users.length)],
      action: actions[random(actions.length)],
      amount: random(100_000) / 100,
      timestamp: 1_700_000_000_000 + id * 37 + random(30),
      session: random(2 ** 32 - 1).toString(16),
    })
    parts.push(event)
    size += event.length
  }
  return parts.join('').slice(0, length)
}
