import type { Command } from 'commander'
import { declare, option } from '../command.ts'
import { UsageError } from '../failure.ts'
import { keyAndValue, type Session } from '../session.ts'

const SECRET = /password|secret|jaas|ssl\.keystore\.key|ssl\.key/i

/** Adds `samsa profile …`. */
export function profileCommands(samsa: Command): void {
  const profile = samsa
    .command('profile')
    .description('store the settings of clusters under names, and choose one')
  declare(profile, {
    name: 'list',
    summary: 'list the profiles',
    has: ['output'],
    examples: ['samsa profile list'],
    run: listProfiles,
  })
  declare(profile, {
    name: 'show <name>',
    summary: 'show the settings of a profile, without passwords',
    has: ['output'],
    examples: ['samsa profile show production'],
    run: showProfile,
  })
  declare(profile, {
    name: 'set <name> <key=value...>',
    summary: 'create a profile, or change its settings',
    has: [],
    notes:
      "A profile is a file of properties in the spelling of Java's client or of librdkafka, which only its owner may read.",
    examples: [
      'samsa profile set production bootstrap.servers=kafka1:9093 security.protocol=SSL',
      'samsa profile set production sasl.mechanism=SCRAM-SHA-512 sasl.username=alice',
    ],
    run: setProfile,
  })
  declare(profile, {
    name: 'use <name>',
    summary: 'select the profile to use when none is given; - for none',
    has: [],
    examples: ['samsa profile use production', 'samsa profile use -'],
    run: (session, [name]) => {
      session.profiles.use(name === '-' ? undefined : name)
      return Promise.resolve()
    },
  })
  declare<{ readonly yes?: boolean }>(profile, {
    name: 'delete <name>',
    summary: 'delete a profile',
    options: [option('-y, --yes', 'do not ask')],
    has: [],
    examples: ['samsa profile delete production --yes'],
    run: async (session, [name]) => {
      session.profiles.read(name!)
      if (await session.confirm(`delete profile ${name}`, 'Continue?'))
        session.profiles.delete(name!)
    },
  })
}

async function listProfiles(session: Session): Promise<void> {
  const current = session.profiles.current()
  const rows = session.profiles.list().map((name) => ({ name, isCurrent: name === current }))
  session.print(
    rows,
    [
      { title: 'PROFILE', of: ({ name }) => name },
      { title: 'CURRENT', of: ({ isCurrent }) => (isCurrent ? 'yes' : '') },
    ],
    rows,
  )
  return Promise.resolve()
}

async function showProfile(session: Session, [name]: readonly string[]): Promise<void> {
  const rows = [...session.profiles.read(name!)].map(([key, value]) => ({
    key,
    value: SECRET.test(key) ? '(hidden)' : value,
  }))
  session.print(
    Object.fromEntries(rows.map(({ key, value }) => [key, value])),
    [
      { title: 'SETTING', of: ({ key }) => key },
      { title: 'VALUE', of: ({ value }) => value },
    ],
    rows,
  )
  return Promise.resolve()
}

async function setProfile(session: Session, [name, ...pairs]: readonly string[]): Promise<void> {
  const { unknownProperties } = await import('../client-properties.ts')
  const added = new Map(pairs.map(keyAndValue))
  const unknown = unknownProperties(added)
  if (unknown.length > 0) throw new UsageError(`unknown settings: ${unknown.join(', ')}`)
  const { profiles } = session
  const before = profiles.list().includes(name!) ? profiles.read(name!) : new Map<string, string>()
  profiles.write(name!, new Map([...before, ...added]))
}
