/** Access control: the schemes `world`, `auth`, `digest` and `ip`. */
import { createHash } from 'node:crypto'
import { BlockList, isIPv4 } from 'node:net'
import { KeeperError } from '../error-codes.ts'

export const ZNODE_PERMISSION = {
  read: 1,
  write: 2,
  create: 4,
  delete: 8,
  admin: 16,
  all: 31,
} as const

/** An identity, such as `digest` and `user:hash of user and password`. */
export interface Identity {
  /** The scheme of the identity: `world`, `digest`, `ip` or `auth`. */
  readonly scheme: string
  /** The id of the identity, in the form of the scheme. */
  readonly id: string
}

/** A permission of a znode, and the identity that has it. */
export interface AclEntry extends Identity {
  /** A sum of PERMISSION. */
  readonly permissions: number
}

export const OPEN_ACL: readonly AclEntry[] = [
  { permissions: ZNODE_PERMISSION.all, scheme: 'world', id: 'anyone' },
]

export const READ_ONLY_ACL: readonly AclEntry[] = [
  { permissions: ZNODE_PERMISSION.read, scheme: 'world', id: 'anyone' },
]

/** Code in the server's own process, which has all permissions. */
export const OWNER: Identity = { scheme: 'super', id: '' }

interface Scheme {
  isValid(id: string): boolean
  matches(id: string, allowed: string): boolean
  /** Whether it is an authenticated identity: an address is not. */
  readonly isAuthentication: boolean
  /** The user's name in an identity. */
  nameIn(id: string): string
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  digest: {
    isValid: (id) => /^[^:]*:[^:]+:*$/.test(id),
    matches: (id, allowed) => id === allowed,
    isAuthentication: true,
    nameIn: (id) => id.split(':', 1)[0] ?? '',
  },
  ip: {
    isValid: (id) => networkOf(id) !== undefined,
    matches: (id, allowed) => networkOf(allowed)?.check(id) ?? false,
    isAuthentication: false,
    nameIn: (id) => id,
  },
}

function schemeOf(name: string): Scheme | undefined {
  return Object.hasOwn(SCHEMES, name) ? SCHEMES[name] : undefined
}

/** `10.0.0.1` or `10.0.0.0/8`. */
function networkOf(id: string): BlockList | undefined {
  const [address = '', bits = '32', ...more] = id.split('/')
  if (more.length > 0 || !isIPv4(address) || !/^\d+$/.test(bits) || Number(bits) > 32) {
    return undefined
  }
  const network = new BlockList()
  network.addSubnet(address, Number(bits))
  return network
}

/** The identity that `user:password` authenticates. */
export function digestIdentity(userAndPassword: string): Identity {
  const user = userAndPassword.split(':', 1)[0] ?? ''
  const hash = createHash('sha1').update(userAndPassword).digest('base64')
  return { scheme: 'digest', id: `${user}:${hash}` }
}

export function userName({ scheme, id }: Identity): string {
  return schemeOf(scheme)?.nameIn(id) ?? id
}

/**
 * The ACL that a node gets for the requested one: `auth` is replaced by the identities of the
 * client. Throws INVALID_ACL.
 */
export function resolvedAcl(
  asked: readonly AclEntry[],
  identities: readonly Identity[],
  path: string,
): readonly AclEntry[] {
  const unique = asked.filter(
    (entry, index) => asked.findIndex((other) => isSame(entry, other)) === index,
  )
  if (unique.length === 0) throw new KeeperError('INVALID_ACL', path)
  return unique.flatMap((entry) => {
    const { permissions, scheme, id } = entry
    if (scheme === 'world' && id === 'anyone') return [entry]
    if (scheme === 'auth') {
      const proven = identities.filter((one) => schemeOf(one.scheme)?.isAuthentication)
      if (proven.length > 0) return proven.map((one) => ({ permissions, ...one }))
    } else if (schemeOf(scheme)?.isValid(id) === true) {
      return [entry]
    }
    throw new KeeperError('INVALID_ACL', path)
  })
}

function isSame(one: AclEntry, other: AclEntry): boolean {
  return one.permissions === other.permissions && one.scheme === other.scheme && one.id === other.id
}

export function isAllowed(
  acl: readonly AclEntry[],
  permissions: number,
  identities: readonly Identity[],
): boolean {
  if (identities.includes(OWNER)) return true
  return acl.some((entry) => {
    if ((entry.permissions & permissions) === 0) return false
    if (entry.scheme === 'world' && entry.id === 'anyone') return true
    const scheme = schemeOf(entry.scheme)
    return identities.some(
      (one) => one.scheme === entry.scheme && scheme?.matches(one.id, entry.id) === true,
    )
  })
}

/** Throws NO_AUTH. */
export function checkAllowed(
  acl: readonly AclEntry[],
  permissions: number,
  identities: readonly Identity[],
  path: string,
): void {
  if (!isAllowed(acl, permissions, identities)) throw new KeeperError('NO_AUTH', path)
}

/** The ACL without credentials, for clients that may read but not change the node. */
export function withoutSecrets(acl: readonly AclEntry[]): readonly AclEntry[] {
  return acl.map((entry) =>
    entry.scheme === 'digest' ? { ...entry, id: entry.id.replace(/:.*/s, ':x') } : entry,
  )
}
