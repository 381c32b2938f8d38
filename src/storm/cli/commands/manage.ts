/** Commands that list topologies, and change running ones. */
import type { Command } from 'commander'
import type { TopologySummary } from '../../thrift/structures.ts'
import { option, positive, wholeNumber } from '../../../terminal/arguments.ts'
import { declare, executors } from '../command.ts'
import { duration } from '../duration.ts'
import { UsageError } from '../../../terminal/failure.ts'
import { untilGone } from '../until-gone.ts'

export function manageCommands(sparse: Command): void {
  declare(sparse, {
    name: 'list',
    summary: 'list the topologies of a cluster',
    has: ['environment', 'output'],
    examples: ['sparse list -e production', 'sparse list --json'],
    run: async (session) => {
      const nimbus = await session.nimbus()
      const topologies = await nimbus.topologies()
      if (topologies.length === 0) session.note('No topology is running.')
      session.print<TopologySummary>(
        [
          { title: 'NAME', of: ({ name }) => name },
          { title: 'STATUS', of: ({ status }) => status },
          { title: 'WORKERS', of: (one) => String(one.num_workers), align: 'right' },
          { title: 'EXECUTORS', of: (one) => String(one.num_executors), align: 'right' },
          { title: 'TASKS', of: (one) => String(one.num_tasks), align: 'right' },
          { title: 'UPTIME', of: (one) => duration(one.uptime_secs), align: 'right' },
          { title: 'ID', of: ({ id }) => id },
        ],
        topologies,
      )
    },
  })
  declare<{ readonly wait?: number; readonly gone?: boolean }>(sparse, {
    name: 'kill',
    summary: 'end a topology',
    has: ['environment', 'topology', 'output'],
    options: [
      option(
        '--wait <seconds>',
        'time for tuples to be processed (default: the message timeout)',
      ).argParser(wholeNumber),
      option('--gone', 'wait until its workers have ended'),
    ],
    examples: ['sparse kill -n wordcount --wait 5'],
    run: async (session, { wait, gone }) => {
      const nimbus = await session.nimbus()
      const { id, name } = await session.runningTopology()
      await nimbus.kill(name, wait)
      if (gone === true) await untilGone(nimbus, name, session.interrupt.signal)
      session.report(
        { name, id, status: 'KILLED' },
        gone === true ? `${name} has ended` : `${name} is ending`,
      )
    },
  })
  for (const action of ['activate', 'deactivate'] as const) {
    declare(sparse, {
      name: action,
      summary:
        action === 'activate'
          ? 'let the spouts of a topology emit again'
          : 'stop the spouts of a topology from emitting',
      has: ['environment', 'topology', 'output'],
      examples: [`sparse ${action} -n wordcount`],
      run: async (session) => {
        const nimbus = await session.nimbus()
        const { id, name } = await session.runningTopology()
        await nimbus[action](name)
        const status = action === 'activate' ? 'ACTIVE' : 'INACTIVE'
        session.report({ name, id, status }, `${name} is ${status.toLowerCase()}`)
      },
    })
  }
  declare<{
    readonly wait?: number
    readonly workers?: number
    readonly executors?: Readonly<Record<string, number>>
  }>(sparse, {
    name: 'rebalance',
    summary: 'move a topology to other workers, with other numbers of workers and executors',
    has: ['environment', 'topology', 'output'],
    options: [
      option('--wait <seconds>', 'time for tuples to be processed before the rebalance').argParser(
        wholeNumber,
      ),
      option('-w, --workers <number>', 'number of workers').argParser(positive),
      option(
        '-x, --executors <component=number>',
        'number of executors of a component, at most its tasks; can be repeated',
      ).argParser(executors),
    ],
    examples: ['sparse rebalance -n wordcount -w 4 -x count=8'],
    run: async (session, { wait, workers, executors: numbers = {} }) => {
      const nimbus = await session.nimbus()
      const { id, name } = await session.runningTopology()
      const { id_to_bolt_agg_stats: bolts = {}, id_to_spout_agg_stats: spouts = {} } =
        await nimbus.topologyPage(id, ':all-time', false)
      const components = Object.keys({ ...spouts, ...bolts })
      const unknown = Object.keys(numbers).find((one) => !components.includes(one))
      // Storm does not know the components of a topology before it has run.
      if (unknown !== undefined && components.length > 0) {
        throw new UsageError(
          `${name} has no component '${unknown}'; it has ${components.join(', ')}`,
        )
      }
      await nimbus.rebalance(name, {
        ...(wait === undefined ? {} : { wait_secs: wait }),
        ...(workers === undefined ? {} : { num_workers: workers }),
        num_executors: numbers,
      })
      session.report({ name, id, status: 'REBALANCING' }, `${name} is being rebalanced`)
    },
  })
}
