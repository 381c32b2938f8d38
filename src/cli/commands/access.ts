import type { Command } from 'commander'
import type { Acl, AclFilter, NewAcl, QuotaEntity, ScramName } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { declare, list, option, positive } from '../command.ts'
import { UsageError } from '../failure.ts'
import { keyAndValue, type Session } from '../session.ts'
import { count } from '../text.ts'

interface AclOptions {
  readonly principal?: string
  readonly allowPrincipal?: string
  readonly denyPrincipal?: string
  readonly host?: string
  readonly operation?: readonly Acl['operation'][]
  readonly topic?: string
  readonly group?: string
  readonly cluster?: boolean
  readonly transactionalId?: string
  readonly prefixed?: boolean
  readonly deny?: boolean
}

const ACL_OPTIONS = () => [
  option('--principal <principal>', 'principal of the entry, such as User:alice'),
  option('--host <address>', 'IP address of the entry (default: all)'),
  option('--operation <list>', 'operations, such as read or write').argParser(list),
  option('--topic <name>', 'topic of the entry; * for all'),
  option('--group <name>', 'group of the entry; * for all'),
  option('--cluster', 'the entry is about the cluster'),
  option('--transactional-id <name>', 'transactional id of the entry; * for all'),
  option('--prefixed', 'the name is a prefix'),
  option('--deny', 'the entry denies instead of allowing'),
  option('--allow-principal <principal>', 'as --principal').hideHelp(),
  option('--deny-principal <principal>', 'as --principal with --deny').hideHelp(),
]

/** Adds `samsa acls`, `acl`, `users`, `user`, `quotas` and `quota`. */
export function accessCommands(samsa: Command): void {
  declare<AclOptions>(samsa, {
    name: 'acls',
    summary: 'list access control entries',
    options: ACL_OPTIONS(),
    examples: ['samsa acls', 'samsa acls --topic page-views --json'],
    run: async (session, _args, options) => {
      const admin = await session.admin()
      printAcls(session, await admin.describeAcls(filterOf(options), session.call))
    },
  })
  const acl = samsa.command('acl').description('create and delete access control entries')
  declare<AclOptions>(acl, {
    name: 'create',
    summary: 'create access control entries, one for each operation',
    options: ACL_OPTIONS(),
    has: ['connection', 'output', 'changes'],
    examples: [
      'samsa acl create --principal User:alice --operation read --topic page-views --yes',
      'samsa acl create --principal User:alice --operation all --topic team- --prefixed --yes',
    ],
    run: createAcls,
  })
  declare<AclOptions>(acl, {
    name: 'delete',
    summary: 'delete the access control entries that match all options',
    options: ACL_OPTIONS(),
    has: ['connection', 'output', 'changes'],
    examples: ['samsa acl delete --principal User:alice --dry-run'],
    run: deleteAcls,
  })
  declare(samsa, {
    name: 'users [user...]',
    summary: 'list users with SCRAM credentials (Kafka 2.7)',
    examples: ['samsa users', 'samsa users alice --json'],
    run: listUsers,
  })
  const user = samsa.command('user').description('set and delete SCRAM credentials')
  declare<UserOptions>(user, {
    name: 'set <user>',
    summary: "set a user's password; the command prompts for it",
    options: [
      ...USER_OPTIONS(),
      option('--iterations <count>', 'rounds of hashing (default: 4096)').argParser(positive),
      option('--new-password-file <file>', 'file with the new password; -: standard input'),
    ],
    examples: ['samsa user set alice', 'samsa user set alice --new-password-file alice.txt'],
    run: setUser,
  })
  declare<UserOptions>(user, {
    name: 'delete <user>',
    summary: "delete a user's credentials of one mechanism",
    options: USER_OPTIONS(),
    has: ['connection', 'output', 'changes'],
    examples: ['samsa user delete alice --yes'],
    run: deleteUser,
  })
  declare(samsa, {
    name: 'quotas',
    summary: 'list client quotas (Kafka 2.6)',
    examples: ['samsa quotas', 'samsa quotas --json'],
    run: listQuotas,
  })
  const quota = samsa.command('quota').description('set and remove client quotas')
  declare<EntityOptions>(quota, {
    name: 'set <key=value...>',
    summary: 'set quotas of a user, a client id or an IP address',
    options: ENTITY_OPTIONS(),
    has: ['connection', 'output', 'changes'],
    notes: "Keys are Kafka's: producer_byte_rate, consumer_byte_rate, request_percentage, …",
    examples: ['samsa quota set producer_byte_rate=1000000 --for-user alice --yes'],
    run: (session, pairs, options) =>
      changeQuotas(session, options, {
        set: Object.fromEntries(pairs.map(keyAndValue).map(([key, value]) => [key, Number(value)])),
      }),
  })
  declare<EntityOptions>(quota, {
    name: 'unset <key...>',
    summary: 'remove quotas of a user, a client id or an IP address',
    options: ENTITY_OPTIONS(),
    has: ['connection', 'output', 'changes'],
    examples: ['samsa quota unset producer_byte_rate --for-user alice --yes'],
    run: (session, keys, options) => changeQuotas(session, options, { delete: keys }),
  })
}

function resourceOf(options: AclOptions): Pick<Acl, 'resourceType' | 'resourceName'> | undefined {
  const { topic, group, cluster, transactionalId } = options
  const found = [
    ...(topic === undefined ? [] : [{ resourceType: 'topic', resourceName: topic } as const]),
    ...(group === undefined ? [] : [{ resourceType: 'group', resourceName: group } as const]),
    ...(cluster === true
      ? [{ resourceType: 'cluster', resourceName: 'kafka-cluster' } as const]
      : []),
    ...(transactionalId === undefined
      ? []
      : [{ resourceType: 'transactionalId', resourceName: transactionalId } as const]),
  ]
  if (found.length > 1) {
    throw new UsageError('give only one of --topic, --group, --cluster and --transactional-id')
  }
  return found[0]
}

/** Converts the options of Kafka's own tool to ours. */
function withJavaNames(options: AclOptions): AclOptions {
  const { allowPrincipal, denyPrincipal } = options
  const given = [options.principal, allowPrincipal, denyPrincipal]
  const [principal, ...more] = given.filter((one) => one !== undefined)
  if (more.length > 0) throw new UsageError('give one principal')
  if (principal === undefined) return options
  return { ...options, principal, ...(denyPrincipal === undefined ? {} : { deny: true }) }
}

function filterOf(given: AclOptions): AclFilter {
  const options = withJavaNames(given)
  const { principal, host, operation, prefixed, deny } = options
  if (operation !== undefined && operation.length > 1) {
    throw new UsageError('give one --operation to filter by')
  }
  return {
    ...resourceOf(options),
    ...(principal === undefined ? {} : { principal }),
    ...(host === undefined ? {} : { host }),
    ...(operation === undefined ? {} : { operation: operation[0]! }),
    ...(prefixed === true ? { patternType: 'prefixed' } : {}),
    ...(deny === true ? { permission: 'deny' } : {}),
  }
}

const ACL_COLUMNS: readonly Column<Acl>[] = [
  { title: 'PRINCIPAL', of: ({ principal }) => principal },
  { title: 'PERMISSION', of: ({ permission }) => permission },
  { title: 'OPERATION', of: ({ operation }) => operation },
  { title: 'RESOURCE', of: ({ resourceType }) => resourceType },
  {
    title: 'NAME',
    of: ({ resourceName, patternType }) =>
      patternType === 'prefixed' ? `${resourceName}…` : resourceName,
  },
  { title: 'HOST', of: ({ host }) => host },
]

function printAcls(session: Session, acls: readonly Acl[]): void {
  session.print(acls, ACL_COLUMNS, acls, 'no access control entries found')
}

function aclText(acl: NewAcl): string {
  const { principal, permission = 'allow', operation, resourceType, resourceName, host } = acl
  const pattern = acl.patternType === 'prefixed' ? ' (prefix)' : ''
  return `${permission} ${principal} ${operation} on ${resourceType} ${resourceName}${pattern} from ${host ?? '*'}`
}

async function createAcls(
  session: Session,
  _args: readonly string[],
  given: AclOptions,
): Promise<void> {
  const options = withJavaNames(given)
  const { principal, host, operation, prefixed, deny } = options
  const resource = resourceOf(options)
  if (principal === undefined || operation === undefined || resource === undefined) {
    throw new UsageError(
      'give --principal, --operation, and one of --topic, --group, --cluster and --transactional-id',
    )
  }
  const acls = operation.map((one): NewAcl => ({
    ...resource,
    principal,
    operation: one,
    ...(host === undefined ? {} : { host }),
    ...(prefixed === true ? { patternType: 'prefixed' } : {}),
    ...(deny === true ? { permission: 'deny' } : {}),
  }))
  const admin = await session.admin()
  const plan = acls.map((acl) => `create: ${aclText(acl)}`).join('\n')
  if (!(await session.confirm(plan, `Create ${entries(acls.length)}?`))) return
  const results = await admin.createAcls(acls, { ...session.call, settle: true })
  session.finish(results)
}

async function deleteAcls(
  session: Session,
  _args: readonly string[],
  options: AclOptions,
): Promise<void> {
  const filter = filterOf(options)
  if (Object.keys(filter).length === 0) {
    throw new UsageError('select the entries to delete, for example with --principal or --topic')
  }
  const admin = await session.admin()
  const found = await admin.describeAcls(filter, session.call)
  if (found.length === 0) {
    session.say('no entry matches')
    return
  }
  const plan = found.map((acl) => `delete: ${aclText(acl)}`).join('\n')
  if (!(await session.confirm(plan, `Delete ${entries(found.length)}?`))) return
  const results = await admin.deleteAcls([filter], { ...session.call, settle: true })
  session.finish(results)
}

function entries(number: number): string {
  return number === 1 ? '1 entry' : `${number} entries`
}

interface UserOptions {
  readonly scram: ScramName
  readonly iterations?: number
  readonly newPasswordFile?: string
}

const USER_OPTIONS = () => [
  option('--scram <mechanism>', 'mechanism of the credentials')
    .choices(['SCRAM-SHA-256', 'SCRAM-SHA-512'])
    .default('SCRAM-SHA-512'),
]

async function listUsers(session: Session, names: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const users = await (names.length === 0
    ? admin.describeUserScramCredentials(undefined, session.call)
    : admin.describeUserScramCredentials(names, session.call))
  const rows = users.flatMap(({ user, credentials }) =>
    credentials.map((credential) => ({ user, ...credential })),
  )
  session.print(
    users,
    [
      { title: 'USER', of: ({ user }) => user },
      { title: 'MECHANISM', of: ({ mechanism }) => mechanism },
      { title: 'ITERATIONS', align: 'right', of: ({ iterations }) => String(iterations) },
    ],
    rows,
    'no SCRAM credentials found',
  )
  session.checkItems(users)
}

async function setUser(
  session: Session,
  [user]: readonly string[],
  { scram: mechanism, iterations, newPasswordFile }: UserOptions,
): Promise<void> {
  const password = await session.readPassword(`New password for ${user}: `, newPasswordFile)
  if (password === undefined || password === '') {
    throw new UsageError('there is no password: give --new-password-file, or use a terminal')
  }
  const admin = await session.admin()
  const change = { user: user!, mechanism, password, ...(iterations && { iterations }) }
  const results = await admin.alterUserScramCredentials([change], {
    ...session.call,
    settle: true,
  })
  session.finish(results)
}

async function deleteUser(
  session: Session,
  [user]: readonly string[],
  { scram: mechanism }: UserOptions,
): Promise<void> {
  const admin = await session.admin()
  const plan = `delete the ${mechanism} credentials of user ${user}`
  if (!(await session.confirm(plan, 'Continue?'))) return
  const results = await admin.alterUserScramCredentials(
    [{ user: user!, mechanism, delete: true }],
    { ...session.call, settle: true },
  )
  session.finish(results)
}

interface EntityOptions {
  readonly forUser?: string
  readonly forClientId?: string
  readonly forIp?: string
}

const ENTITY_OPTIONS = () => [
  option('--for-user <name>', 'user of the quota; default: for the default of users'),
  option('--for-client-id <id>', 'client id of the quota; default: for the default of ids'),
  option('--for-ip <address>', 'IP address of the quota (Kafka 2.8)'),
]

function entityOf({ forUser, forClientId, forIp }: EntityOptions): QuotaEntity {
  const name = (text: string): string | null => (text === 'default' ? null : text)
  const entity = {
    ...(forUser === undefined ? {} : { user: name(forUser) }),
    ...(forClientId === undefined ? {} : { clientId: name(forClientId) }),
    ...(forIp === undefined ? {} : { ip: name(forIp) }),
  }
  if (Object.keys(entity).length === 0) {
    throw new UsageError('select whose quotas: --for-user, --for-client-id or --for-ip')
  }
  return entity
}

function entityText(entity: QuotaEntity): string {
  return Object.entries(entity)
    .map(([kind, name]) => `${kind} ${String(name ?? 'default')}`)
    .join(', ')
}

async function listQuotas(session: Session): Promise<void> {
  const admin = await session.admin()
  const found = await admin.describeClientQuotas({}, session.call)
  const rows = found.flatMap(({ entity, quotas }) =>
    Object.entries(quotas).map(([name, value]) => ({ entity: entityText(entity), name, value })),
  )
  session.print(
    found,
    [
      { title: 'ENTITY', of: ({ entity }) => entity },
      { title: 'QUOTA', of: ({ name }) => name },
      { title: 'VALUE', align: 'right', of: ({ value }) => String(value) },
    ],
    rows,
    'no quotas found',
  )
}

async function changeQuotas(
  session: Session,
  options: EntityOptions,
  changes: { readonly set?: Record<string, number>; readonly delete?: readonly string[] },
): Promise<void> {
  const entity = entityOf(options)
  const wrong = Object.entries(changes.set ?? {}).find(([, value]) => !Number.isFinite(value))
  if (wrong !== undefined) throw new UsageError(`the value of ${wrong[0]} must be a number`)
  const admin = await session.admin()
  const plan = [
    ...Object.entries(changes.set ?? {}).map(([key, value]) => `${key} → ${value}`),
    ...(changes.delete ?? []).map((key) => `${key} → none`),
  ].map((change) => `${entityText(entity)}: ${change}`)
  const question = `Change ${count(plan.length, 'quota')}?`
  if (!(await session.confirm(plan.join('\n'), question))) return
  const results = await admin.alterClientQuotas([{ entity, ...changes }], {
    ...session.call,
    settle: true,
  })
  session.finish(results)
}
