import { KeeperError } from '../error-codes.ts'

/** Lone surrogates, private use and specials, and control characters: as in ZooKeeper's PathUtils. */
// eslint-disable-next-line no-control-regex -- control characters are what it finds
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/

/** Nodes that always exist. */
export const SYSTEM_NODES = ['/', '/zookeeper', '/zookeeper/config', '/zookeeper/quota'] as const

/** Throws BAD_ARGUMENTS for an invalid path. */
export function checkPath(path: string): void {
  if (path === '/') return
  const names = path.split('/')
  const isPath =
    names.shift() === '' &&
    names.length > 0 &&
    names.every((name) => name !== '' && name !== '.' && name !== '..') &&
    !FORBIDDEN.test(path)
  if (!isPath) throw new KeeperError('BAD_ARGUMENTS', path)
}

/**
 * The path without its last name; '/' for a node directly below the root. Throws BAD_ARGUMENTS if
 * there is no parent.
 */
export function parentOf(path: string): string {
  const lastSlash = path.lastIndexOf('/')
  if (lastSlash === -1 || path.includes('\0')) throw new KeeperError('BAD_ARGUMENTS', path)
  return lastSlash === 0 ? '/' : path.slice(0, lastSlash)
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
