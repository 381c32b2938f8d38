import { InvalidArgumentError } from '../errors.ts'
import { quoted } from '../observe/printable.ts'

/** The host and port of a server. */
export interface Address {
  /** The host name or address. */
  readonly host: string
  /** The port. */
  readonly port: number
}

const DEFAULT_PORT = 9092

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Reads a list such as `kafka1:9092,kafka2,[::1]:9093`; the default port is 9092. Throws InvalidArgumentError that
 * names the invalid part.
 */
export function parseHosts(hosts: string | readonly string[]): readonly Address[] {
  const parts = (typeof hosts === 'string' ? hosts.split(',') : hosts)
    .map((part) => part.trim())
    .filter((part) => part !== '')
  if (parts.length === 0) throw new InvalidArgumentError('hosts: must not be empty')
  return parts.map(parseAddress)
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || port < 1 || port > 65535) {
    throw new InvalidArgumentError(
      `hosts: ${quoted(withoutLogin(text))} is not an address: expected host:port, or [address]:port for IPv6`,
    )
  }
  return { host, port }
}

/** URLs may contain a password before the host. */
function withoutLogin(text: string): string {
  return text.replace(/[^/]*@/, '***@')
}
