/** Commands that show the statistics of a cluster and its topologies. */
import type { Command } from 'commander'
import { StormError } from '../../errors.ts'
import type { Nimbus } from '../../thrift/nimbus.ts'
import type { ComponentStats, WorkerSummary } from '../../thrift/structures.ts'
import { option } from '../../../terminal/arguments.ts'
import { declare } from '../command.ts'
import { duration } from '../duration.ts'
import type { Session } from '../session.ts'

const WINDOWS: Readonly<Record<string, string>> = {
  '600': '10m',
  '10800': '3h',
  '86400': '1d',
  ':all-time': 'all',
}

interface StatsRow {
  /** The component, or the window. */
  readonly name: string
  readonly type: 'spout' | 'bolt'
  readonly executors: number | undefined
  readonly tasks: number | undefined
  readonly emitted: number
  readonly acked: number
  readonly failed: number
  /** For a spout, the time until its tuples are processed; for a bolt, the time to process one. */
  readonly latencyMs: number | undefined
  readonly capacity: number | undefined
  readonly lastError: string | undefined
}

export function statsCommands(sparse: Command): void {
  declare<{ readonly component?: string; readonly all?: boolean }>(sparse, {
    name: 'stats',
    summary: 'show what the components of a topology have emitted, acked and failed',
    has: ['environment', 'topology', 'output'],
    options: [
      option('-c, --component <name>', 'show one component, for several time windows'),
      option('--all', "also show Storm's own components"),
    ],
    examples: ['sparse stats -n wordcount', 'sparse stats -n wordcount -c count --json'],
    run: async (session, { component, all = false }) => {
      const { id, name } = await session.runningTopology()
      const nimbus = await session.nimbus()
      if (component === undefined) await showTopology(session, nimbus, id, all)
      else await showComponent(session, nimbus, id, name, component, all)
    },
  })
  declare(sparse, {
    name: 'worker_uptime',
    aliases: ['worker-uptime'],
    summary: 'show how long workers have been running',
    has: ['environment', 'topology', 'output'],
    examples: ['sparse worker_uptime -e production'],
    run: async (session) => {
      const nimbus = await session.nimbus()
      const { name } = session.options
      if (name !== undefined) await nimbus.topologyNamed(name)
      const workers = (await workersOf(nimbus)).filter(
        ({ topology_name }) => name === undefined || topology_name === name,
      )
      session.print<WorkerSummary>(
        [
          { title: 'HOST', of: ({ host = '' }) => host },
          { title: 'PORT', of: ({ port }) => String(port), align: 'right' },
          { title: 'TOPOLOGY', of: ({ topology_name = '' }) => topology_name },
          { title: 'EXECUTORS', of: (one) => String(one.num_executors), align: 'right' },
          { title: 'UPTIME', of: (one) => duration(one.uptime_secs ?? 0), align: 'right' },
        ],
        workers,
      )
    },
  })
  declare(sparse, {
    name: 'slot_usage',
    aliases: ['slot-usage'],
    summary: 'show the slots of each supervisor, and which topologies use them',
    has: ['environment', 'output'],
    examples: ['sparse slot_usage -e production'],
    run: async (session) => {
      const nimbus = await session.nimbus()
      const { supervisors } = await nimbus.cluster()
      const workers = await workersOf(nimbus)
      const rows = supervisors.map(({ host, supervisor_id, num_workers, num_used_workers }) => {
        const topologies: Record<string, number> = {}
        for (const worker of workers) {
          if (worker.supervisor_id !== supervisor_id) continue
          const topology = worker.topology_name ?? ''
          topologies[topology] = (topologies[topology] ?? 0) + 1
        }
        return { host, slots: num_workers, used: num_used_workers, topologies }
      })
      session.print<(typeof rows)[number]>(
        [
          { title: 'HOST', of: ({ host }) => host },
          { title: 'SLOTS', of: ({ slots }) => String(slots), align: 'right' },
          { title: 'USED', of: ({ used }) => String(used), align: 'right' },
          { title: 'FREE', of: ({ slots, used }) => String(slots - used), align: 'right' },
          {
            title: 'TOPOLOGIES',
            of: ({ topologies }) =>
              Object.entries(topologies)
                .map(([name, count]) => (count === 1 ? name : `${name} (${count})`))
                .join(', '),
          },
        ],
        rows,
      )
    },
  })
}

/** The workers of all supervisors. */
async function workersOf(nimbus: Nimbus): Promise<readonly WorkerSummary[]> {
  const { supervisors } = await nimbus.cluster()
  const hosts = new Set(supervisors.map(({ host }) => host))
  const workers: WorkerSummary[] = []
  for (const host of hosts) {
    workers.push(...((await nimbus.supervisorPage(host)).worker_summaries ?? []))
  }
  return workers.sort(
    (one, other) =>
      (one.host ?? '').localeCompare(other.host ?? '') || (one.port ?? 0) - (other.port ?? 0),
  )
}

async function showTopology(
  session: Session,
  nimbus: Nimbus,
  id: string,
  all: boolean,
): Promise<void> {
  const page = await nimbus.topologyPage(id, ':all-time', all)
  const rows = [
    ...Object.entries(page.id_to_spout_agg_stats ?? {}).map(rowOf('spout')),
    ...Object.entries(page.id_to_bolt_agg_stats ?? {}).map(rowOf('bolt')),
  ]
  const { name = '', status = '', uptime_secs = 0, num_workers = 0, num_tasks = 0 } = page
  if (session.options.json !== true) {
    session.note(
      `${name}: ${status}, ${num_workers} workers, ${num_tasks} tasks, for ${duration(uptime_secs)}`,
    )
    if (rows.length === 0) session.note('Storm has no statistics yet.')
  }
  printStats(session, 'COMPONENT', rows, { ...page, topology_conf: undefined, components: rows })
}

async function showComponent(
  session: Session,
  nimbus: Nimbus,
  id: string,
  topology: string,
  component: string,
  all: boolean,
): Promise<void> {
  const page = await nimbus.topologyPage(id, ':all-time', true)
  const components = Object.keys({
    ...page.id_to_spout_agg_stats,
    ...page.id_to_bolt_agg_stats,
  })
  if (!components.includes(component) && components.length > 0) {
    const known = components.filter((name) => !name.startsWith('__')).join(', ')
    const reason = `${topology} has no component '${component}'; it has ${known}`
    throw new StormError('INVALID_ARGUMENT', reason, component)
  }
  const of = await nimbus.componentPage(id, component, ':all-time', all)
  const type = of.component_type === 2 ? 'spout' : 'bolt'
  const windows = of.window_to_stats ?? {}
  const rows = Object.keys(WINDOWS)
    .filter((window) => windows[window] !== undefined)
    .map((window) => ({
      ...rowOf(type)([WINDOWS[window]!, windows[window]!]),
      executors: of.num_executors,
      tasks: of.num_tasks,
    }))
  printStats(session, 'WINDOW', rows, { component, type, windows: rows, errors: of.errors ?? [] })
  if (session.options.json === true) return
  for (const { error, host = '', port } of (of.errors ?? []).slice(0, 5)) {
    session.note(`${host}:${port}: ${error.split('\n')[0]}`)
  }
}

function rowOf(type: StatsRow['type']) {
  return ([name, { common_stats: common = {}, specific_stats: own = {}, last_error }]: readonly [
    string,
    ComponentStats,
  ]): StatsRow => ({
    name,
    type,
    executors: common.num_executors,
    tasks: common.num_tasks,
    emitted: common.emitted ?? 0,
    acked: common.acked ?? 0,
    failed: common.failed ?? 0,
    latencyMs: type === 'spout' ? own.spout?.complete_latency_ms : own.bolt?.process_latency_ms,
    capacity: own.bolt?.capacity,
    lastError: last_error?.error.split('\n')[0],
  })
}

function printStats(
  session: Session,
  title: string,
  rows: readonly StatsRow[],
  data: unknown,
): void {
  const number = (value: number | undefined): string => (value === undefined ? '' : String(value))
  session.print<StatsRow>(
    [
      { title, of: ({ name }) => name },
      { title: 'TYPE', of: ({ type }) => type },
      { title: 'EXECUTORS', of: (row) => number(row.executors), align: 'right' },
      { title: 'TASKS', of: (row) => number(row.tasks), align: 'right' },
      { title: 'EMITTED', of: (row) => number(row.emitted), align: 'right' },
      { title: 'ACKED', of: (row) => number(row.acked), align: 'right' },
      { title: 'FAILED', of: (row) => number(row.failed), align: 'right' },
      {
        title: 'LATENCY',
        of: ({ latencyMs: ms }) => (ms === undefined ? '' : `${ms.toFixed(1)} ms`),
        align: 'right',
      },
      { title: 'CAPACITY', of: ({ capacity }) => capacity?.toFixed(3) ?? '', align: 'right' },
      { title: 'LAST ERROR', of: ({ lastError = '' }) => lastError },
    ],
    rows,
    data,
  )
}
