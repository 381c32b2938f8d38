import type { Command } from 'commander'
import type { DelegationToken } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { append, declare, duration, option } from '../command.ts'
import { UsageError } from '../failure.ts'
import type { Session } from '../session.ts'

interface CreateOptions {
  readonly lifetime?: number
  readonly owner?: string
  readonly renewer?: readonly string[]
}

/** Adds `samsa tokens` and `samsa token …`. */
export function tokenCommands(samsa: Command): void {
  declare<{ readonly owner?: readonly string[] }>(samsa, {
    name: 'tokens',
    summary: 'list delegation tokens (Kafka 1.1)',
    options: [
      option('--owner <principal>', 'only tokens of this principal; can be repeated').argParser(
        append,
      ),
    ],
    examples: ['samsa tokens', 'samsa tokens --owner User:alice --json'],
    run: async (session, _args, { owner }) => {
      const admin = await session.admin()
      const found = await admin.describeDelegationTokens({
        ...session.call,
        ...(owner === undefined ? {} : { owners: owner }),
      })
      // Only `token create` shows the secret.
      const shown = found.map(({ hmac: _secret, ...token }) => token)
      session.print(shown, COLUMNS, shown, 'no delegation tokens found')
    },
  })
  const token = samsa.command('token').description('create, renew and expire delegation tokens')
  declare<CreateOptions>(token, {
    name: 'create',
    summary: 'create a token for the user that logs in, and print it with its secret',
    options: [
      option('--lifetime <duration>', 'maximum lifetime of the token, such as 1d').argParser(
        duration,
      ),
      option(
        '--owner <principal>',
        'principal that the token is for, such as User:alice (Kafka 3.3)',
      ),
      option(
        '--renewer <principal>',
        'another principal that may renew the token; can be repeated',
      ).argParser(append),
    ],
    notes:
      'Log in with SCRAM: the id is the user, the secret (hmac) the password, and sasl.login.token=true is set.',
    examples: ['samsa token create --lifetime 1d --json'],
    run: createToken,
  })
  declare<{ readonly for?: number }>(token, {
    name: 'renew <id>',
    summary: 'extend the expiry of a token',
    options: [
      option('--for <duration>', 'time from now until the token expires').argParser(duration),
    ],
    examples: ['samsa token renew aXQsq7YlSsyTfDTcJA --for 1d'],
    run: async (session, [id], options) => {
      const admin = await session.admin()
      const { expiryTimestampMs } = await admin.renewDelegationToken(await secretOf(session, id!), {
        ...session.call,
        ...(options.for === undefined ? {} : { renewPeriodMs: options.for }),
      })
      printExpiry(session, id!, expiryTimestampMs)
    },
  })
  declare<{ readonly in?: number }>(token, {
    name: 'expire <id>',
    summary: 'delete a token, or shorten its expiry',
    options: [
      option('--in <duration>', 'time from now until the token expires (default: none)').argParser(
        duration,
      ),
    ],
    has: ['connection', 'output', 'changes'],
    examples: ['samsa token expire aXQsq7YlSsyTfDTcJA --yes'],
    run: async (session, [id], options) => {
      const admin = await session.admin()
      const hmac = await secretOf(session, id!)
      if (!(await session.confirm(`expire token ${id}`, 'Continue?'))) return
      const { expiryTimestampMs } = await admin.expireDelegationToken(hmac, {
        ...session.call,
        ...(options.in === undefined ? {} : { expiryTimePeriodMs: options.in }),
      })
      printExpiry(session, id!, expiryTimestampMs)
    },
  })
}

const COLUMNS: readonly Column<Omit<DelegationToken, 'hmac'>>[] = [
  { title: 'TOKEN', of: ({ tokenId }) => tokenId },
  { title: 'OWNER', of: ({ owner }) => owner },
  { title: 'EXPIRES', of: ({ expiryTimestampMs }) => new Date(expiryTimestampMs).toISOString() },
]

async function createToken(
  session: Session,
  _args: readonly string[],
  { lifetime, owner, renewer }: CreateOptions,
): Promise<void> {
  const admin = await session.admin()
  const token = await admin.createDelegationToken({
    ...session.call,
    ...(lifetime === undefined ? {} : { maxLifetimeMs: lifetime }),
    ...(owner === undefined ? {} : { owner }),
    ...(renewer === undefined ? {} : { renewers: renewer }),
  })
  session.print(
    token,
    [...COLUMNS, { title: 'SECRET', of: ({ hmac }: DelegationToken) => hmac }],
    [token],
  )
}

/** Requests identify a token by its secret; users identify it by its id. */
async function secretOf(session: Session, id: string): Promise<string> {
  const admin = await session.admin()
  const tokens = await admin.describeDelegationTokens(session.call)
  const found = tokens.find(({ tokenId }) => tokenId === id)
  if (found === undefined) throw new UsageError(`there is no token '${id}': see samsa tokens`)
  return found.hmac
}

function printExpiry(session: Session, tokenId: string, expiryTimestampMs: number): void {
  const row = { tokenId, expiryTimestampMs }
  session.print(
    row,
    [
      { title: 'TOKEN', of: (one) => one.tokenId },
      { title: 'EXPIRES', of: (one) => new Date(one.expiryTimestampMs).toISOString() },
    ],
    [row],
  )
}
