import { ftruncateSync, writeSync } from 'node:fs'

/**
 * Writes at the end of a file until everything is written: the system may accept less at a time. If
 * it accepts no more, the written part is truncated, so that only a crash leaves part of a write.
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
      // The first error is more useful.
    }
    throw error
  }
}
