import { closeSync, openSync } from 'node:fs'

/** More are not kept open: a system may allow a process no more than 256. */
const MOST_OPEN = 128

/** Files by name, opened when they are needed; those used least recently are closed. */
export class OpenFiles {
  readonly #fds = new Map<string, number>()

  /** A new, empty file, in place of one that there may be. */
  create(file: string): void {
    this.close(file)
    this.#open(file, 'w+')
  }

  /** A file that is there, to read and write. */
  fd(file: string): number {
    const fd = this.#fds.get(file)
    if (fd === undefined) return this.#open(file, 'r+')
    // Used most recently: the last to be closed.
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
