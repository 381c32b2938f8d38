/** ZooKeeper's connection strings and names. The validated values are the ones that are used. */
import { InvalidArgumentError } from '../errors.ts'
import type { Address } from '../network/address.ts'

const DEFAULT_PORT = 2181

export interface ZooKeeperHosts {
  readonly servers: readonly Address[]
  /** The znode under which all paths are, such as `/kafka`; empty for the root. */
  readonly chroot: string
}

/** Control characters, surrogates, private use and specials: as in ZooKeeper's PathUtils. */
// eslint-disable-next-line no-control-regex -- control characters are what it finds
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/

/** Why ZooKeeper rejects the name of a znode; undefined if it accepts the name. */
export function znodeNameProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty'
  if (name === '.' || name === '..') return `must not be '${name}'`
  if (name.includes('/')) return 'must not have a slash'
  if (FORBIDDEN.test(name))
    return 'must not contain control characters or characters outside plane 0'
  return undefined
}

/**
 * Reads `host:port,host:port/chroot`. Blanks around a server, slashes at the end, and an IPv6 address in brackets are
 * allowed; the default port is 2181. Throws InvalidArgumentError without the text, which may contain a password.
 */
export function parseZooKeeperHosts(text: string): ZooKeeperHosts {
  const trimmed = text.trim()
  const slash = trimmed.indexOf('/')
  const list = slash < 0 ? trimmed : trimmed.slice(0, slash)
  const names = slash < 0 ? [] : trimmed.slice(slash).replace(/\/+$/, '').split('/').slice(1)
  for (const name of names) {
    const problem = znodeNameProblem(name)
    if (problem !== undefined) throw invalid(`a name in the chroot ${problem}`)
  }
  const servers = list.split(',').map((server) => parseServer(server.trim()))
  return { servers, chroot: names.map((name) => `/${name}`).join('') }
}

/** For errors and logs. */
export function describeZooKeeperHosts({ servers, chroot }: ZooKeeperHosts): string {
  const described = servers.map(({ host, port }) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  )
  return described.join(',') + chroot
}

function parseServer(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:@[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw invalid(
      "must be a comma-separated list of 'host:port' or '[address]:port' (IPv6), optionally followed by a chroot",
    )
  }
  return { host, port }
}

function invalid(problem: string): InvalidArgumentError {
  return new InvalidArgumentError(`zookeeperHosts: ${problem}`)
}
