/**
 * A process that takes the lock of a data folder when it is told to. Lines it reads: `take <when> <folder>`, at a
 * time in milliseconds, and `release`. Lines it writes: `ready`, then `held`, `refused` or `released`.
 */
import { createInterface } from 'node:readline'
import { FolderLock } from '../../../src/embedded/storage/folder-lock.ts'

let held: FolderLock | undefined

function take(folder: string): string {
  try {
    held = FolderLock.take(folder)
    return 'held'
  } catch (error) {
    return (error as { code?: string }).code === 'DATA_FOLDER_IN_USE' ? 'refused' : String(error)
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, when, folder = ''] = line.split(' ')
  if (command === 'release') {
    held?.release()
    held = undefined
    console.log('released')
    return
  }
  // Busy, so that all racers go off within microseconds.
  while (Date.now() < Number(when));
  console.log(take(folder))
})
console.log('ready')
