import { readdirSync } from 'node:fs'

/** The names in a folder; none if it is missing. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Whether an error of Node's file functions reports a missing file or folder. */
export function isMissing(error: unknown): boolean {
  // These functions throw only errors with a code.
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
