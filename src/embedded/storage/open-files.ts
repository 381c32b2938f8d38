import { closeSync, openSync } from 'node:fs'

/** The maximum number of open files: a system may allow a process only 256. */
const MOST_OPEN = 128

/** Files by name, opened when they are needed; the least recently used ones are closed. */
export class OpenFiles {
  readonly #fds = new Map<string, number>()

  /** Creates a new, empty file, and replaces an existing one. */
  create(file: string): void {
    this.close(file)
    this.#open(file, 'w+')
  }

  /** An existing file, to read and write. */
  fd(file: string): number {
    const fd = this.#fds.get(file)
    if (fd === undefined) return this.#open(file, 'r+')
    // The most recently used file is closed last.
    this.#fds.delete(file)
    this.#fds.set(file, fd)
    return fd
  }

  close(file: string): void {
    const fd = this.#fds.get(file)
    if (fd === undefined) return
    this.#fds.delete(file)
    closeSync(fd)
  }

  closeIn(folder: string): void {
    for (const file of [...this.#fds.keys()]) if (file.startsWith(folder)) this.close(file)
  }

  closeAll(): void {
    for (const file of [...this.#fds.keys()]) this.close(file)
  }

  #open(file: string, flags: string): number {
    const oldest = this.#fds.keys().next()
    if (this.#fds.size >= MOST_OPEN && oldest.done !== true) this.close(oldest.value)
    const fd = openSync(file, flags)
    this.#fds.set(file, fd)
    return fd
  }
}
