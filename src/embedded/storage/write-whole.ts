import { ftruncateSync, writeSync } from 'node:fs'

/**
 * Writes at the end of a file until everything is written: the system may take less at a time. Where it takes no
 * more, what it took is cut off again, so that only a crash leaves part of a write.
 */
export function writeWhole(fd: number, bytes: Uint8Array, position: number): void {
  try {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(fd, bytes, done, bytes.length - done, position + done)
    }
  } catch (error) {
    try {
      ftruncateSync(fd, position)
    } catch {
      // The first error says more.
    }
    throw error
  }
}
