import type { Command } from 'commander'
import type { Admin, ConfigEntry, ConfigResource, ConfigResourceType } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { append, declare, option } from '../command.ts'
import { ConditionNotMetError, UsageError } from '../failure.ts'
import { replaceConfigs } from '../replace-configs.ts'
import { keyAndValue, type Session } from '../session.ts'

const RESOURCE =
  'topic:NAME, broker:ID, broker: for all brokers, logger:ID, group:NAME, client-metrics:NAME; NAME alone is a topic'

const TYPES: Readonly<Record<string, ConfigResourceType>> = {
  topic: 'topic',
  broker: 'broker',
  logger: 'brokerLogger',
  group: 'group',
  'client-metrics': 'clientMetrics',
}

/** Adds `samsa configs` and `samsa config …`. */
export function configCommands(samsa: Command): void {
  declare<{ readonly all?: boolean; readonly names?: string }>(samsa, {
    name: 'configs <resource...>',
    summary: 'show settings of topics, brokers, groups and client metrics',
    arguments: { resource: RESOURCE },
    options: [option('--all', 'also show settings that have their default values')],
    examples: [
      'samsa configs page-views',
      'samsa configs page-views --all',
      'samsa configs broker:0 --json',
    ],
    run: showConfigs,
  })
  const config = samsa.command('config').description('read, change and compare settings')
  declare(config, {
    name: 'get <resource> <name...>',
    summary: 'print the values of settings, one per line',
    arguments: { resource: RESOURCE },
    examples: ['samsa config get page-views retention.ms'],
    run: getConfigs,
  })
  declare(config, {
    name: 'set <resource> <key=value...>',
    summary: 'change settings, and keep all others',
    arguments: { resource: RESOURCE },
    has: ['connection', 'output', 'changes'],
    examples: ['samsa config set page-views retention.ms=3600000 --yes'],
    run: (session, [resource, ...pairs]) =>
      change(session, resource!, { set: Object.fromEntries(pairs.map(keyAndValue)) }),
  })
  declare(config, {
    name: 'unset <resource> <name...>',
    summary: 'remove settings, so that their defaults apply',
    arguments: { resource: RESOURCE },
    has: ['connection', 'output', 'changes'],
    examples: ['samsa config unset page-views retention.ms --yes'],
    run: (session, [resource, ...names]) => change(session, resource!, { delete: names }),
  })
  declare<{ readonly to?: readonly string[] }>(config, {
    name: 'diff <resource> <other>',
    summary: 'compare the settings of two resources; exit with 3 where they differ',
    arguments: { resource: RESOURCE, other: 'the resource to compare it with, in the same form' },
    options: [
      option('--to <key=value>', 'setting of the connection to the other cluster').argParser(
        append,
      ),
    ],
    examples: [
      'samsa config diff page-views page-views-copy',
      'samsa config diff page-views page-views --to bootstrap.servers=other:9092',
    ],
    run: diffConfigs,
  })
}

export function resourceOf(text: string): ConfigResource {
  const at = text.indexOf(':')
  if (at < 0) return { type: 'topic', name: text }
  const type = Object.hasOwn(TYPES, text.slice(0, at)) ? TYPES[text.slice(0, at)] : undefined
  if (type === undefined) {
    const kinds = Object.keys(TYPES).join(', ')
    throw new UsageError(`'${text}' must begin with one of ${kinds} and a colon`)
  }
  return { type, name: text.slice(at + 1) }
}

async function describe(
  session: Session,
  admin: Admin,
  resources: readonly string[],
): Promise<Awaited<ReturnType<Admin['describeConfigs']>>> {
  return admin.describeConfigs(resources.map(resourceOf), session.call)
}

async function showConfigs(
  session: Session,
  resources: readonly string[],
  { all = false }: { readonly all?: boolean },
): Promise<void> {
  const described = await describe(session, await session.admin(), resources)
  const shown = described.map((resource) => ({
    ...resource,
    configs: resource.configs.filter(({ isDefault }) => all || !isDefault),
  }))
  const rows = shown.flatMap(({ type, name, configs }) =>
    configs.map((entry) => ({ resource: `${type}:${name}`, ...entry })),
  )
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { title: 'RESOURCE', of: ({ resource }) => resource },
    { title: 'NAME', of: ({ name }) => name },
    { title: 'VALUE', of: valueText },
    { title: 'SOURCE', of: ({ source }) => source },
  ]
  session.print(shown, columns, rows)
  if (rows.length === 0 && session.isInteractive)
    session.say('all settings have their default values')
  session.checkItems(described)
}

function valueText({ value, isSensitive }: ConfigEntry): string {
  return value ?? (isSensitive ? '(hidden)' : '')
}

async function getConfigs(
  session: Session,
  [resource, ...names]: readonly string[],
): Promise<void> {
  const [found] = await describe(session, await session.admin(), [resource!])
  session.checkItems([found!])
  const entries = names.map((name) => {
    const entry = found!.configs.find((one) => one.name === name)
    if (entry === undefined) throw new UsageError(`${resource} has no setting '${name}'`)
    return entry
  })
  session.print(entries, [{ title: 'VALUE', of: valueText }], entries)
}

async function change(
  session: Session,
  resource: string,
  changes: { readonly set?: Record<string, string>; readonly delete?: readonly string[] },
): Promise<void> {
  const admin = await session.admin()
  const target = resourceOf(resource)
  const [before] = await describe(session, admin, [resource])
  session.checkItems([before!])
  const valueOf = (name: string) =>
    before!.configs.find((entry) => entry.name === name)?.value ?? 'none'
  const plan = [
    ...Object.entries(changes.set ?? {}).map(
      ([name, value]) => `${resource} ${name}: ${valueOf(name)} → ${value}`,
    ),
    ...(changes.delete ?? []).map((name) => `${resource} ${name}: ${valueOf(name)} → default`),
  ]
  const client = await session.client()
  const isOld = !(await hasIncrementalChanges(session, admin))
  const alter = async (validateOnly: boolean): Promise<readonly ConfigResult[]> => {
    if (isOld) {
      await replaceConfigs(session, client, target, before!, changes, validateOnly)
      return [target]
    }
    const call = { ...session.call, settle: true, validateOnly }
    return admin.incrementalAlterConfigs([{ ...target, ...changes }], call)
  }
  // Brokers validate a change in the same way as they apply it.
  session.checkItems(await alter(true))
  if (isOld)
    plan.push(
      'this Kafka version replaces all settings at once: a change that another client makes at the same time is lost',
    )
  if (!(await session.confirm(plan.join('\n'), 'Change these settings?'))) return
  const results = await alter(false)
  session.print(
    results,
    [
      { title: 'RESOURCE', of: ({ type, name }) => `${type}:${name}` },
      { title: 'RESULT', of: ({ error }) => error?.code ?? 'changed' },
    ],
    results,
  )
  session.checkItems(results)
}

type ConfigResult = Awaited<ReturnType<Admin['incrementalAlterConfigs']>>[number]

/** IncrementalAlterConfigs exists since Kafka 2.3. */
const INCREMENTAL_KEY = 44

async function hasIncrementalChanges(session: Session, admin: Admin): Promise<boolean> {
  const { brokers } = await admin.describeCluster(session.call)
  const versions = await Promise.all(
    brokers.map(({ broker }) => admin.describeApiVersions(broker, session.call)),
  )
  return versions.every((apis) => apis.some(({ key }) => key === INCREMENTAL_KEY))
}

async function diffConfigs(
  session: Session,
  [resource, other]: readonly string[],
  { to = [] }: { readonly to?: readonly string[] },
): Promise<void> {
  const admin = await session.admin()
  const properties = new Map([...session.properties(), ...to.map(keyAndValue)])
  const otherAdmin = to.length === 0 ? admin : (await session.connect(properties)).admin
  const [[left], [right]] = await Promise.all([
    describe(session, admin, [resource!]),
    describe(session, otherAdmin, [other!]),
  ])
  session.checkItems([left!, right!])
  const values = new Map(right!.configs.map((entry) => [entry.name, entry]))
  const names = new Set([...left!.configs, ...right!.configs].map(({ name }) => name))
  const ofLeft = new Map(left!.configs.map((entry) => [entry.name, entry]))
  const rows = [...names].sort().flatMap((name) => {
    const [a, b] = [ofLeft.get(name)?.value ?? null, values.get(name)?.value ?? null]
    return a === b ? [] : [{ name, left: a, right: b }]
  })
  session.print(
    rows,
    [
      { title: 'NAME', of: ({ name }) => name },
      { title: resource!.toUpperCase(), of: ({ left: value }) => value ?? '' },
      { title: other!.toUpperCase(), of: ({ right: value }) => value ?? '' },
    ],
    rows,
  )
  if (rows.length > 0) throw new ConditionNotMetError(`${rows.length} settings differ`)
}
