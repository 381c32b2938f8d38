import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A log file that is renamed to `name.1` before it exceeds its maximum size; `name.1` is renamed to
 * `name.2`, and so on.
 */
export class RotatingFile {
  readonly #path: string
  readonly #maxBytes: number
  readonly #backups: number
  #bytes: number

  constructor(folder: string, name: string, maxBytes: number, backups: number) {
    mkdirSync(folder, { recursive: true })
    this.#path = join(folder, name)
    this.#maxBytes = maxBytes
    this.#backups = backups
    this.#bytes = existsSync(this.#path) ? statSync(this.#path).size : 0
  }

  append(text: string): void {
    const bytes = Buffer.byteLength(text)
    const isFull = this.#maxBytes > 0 && this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes
    if (isFull && this.#backups > 0) this.#rotate()
    appendFileSync(this.#path, text)
    this.#bytes += bytes
  }

  #rotate(): void {
    for (let number = this.#backups - 1; number >= 0; number--) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`
      if (existsSync(from)) renameSync(from, `${this.#path}.${number + 1}`)
    }
    this.#bytes = 0
  }
}
