/** Commands for the logs of workers. */
import type { Command } from 'commander'
import { visibleText } from '../../../terminal/visible.ts'
import { removeLogs, tailLog, type LogSource, type WorkerPlace } from '../../deploy/worker-logs.ts'
import { option, wholeNumber } from '../../../terminal/arguments.ts'
import { declare } from '../command.ts'
import { UsageError } from '../../../terminal/failure.ts'
import type { Session } from '../session.ts'

const LINES = 10
const LOGVIEWER_PORT = 8000

interface TailOptions {
  readonly follow?: boolean
  readonly lines?: number
  readonly pattern?: string
}

export function logCommands(sparse: Command): void {
  declare<TailOptions>(sparse, {
    name: 'tail',
    summary: "show the last lines of the logs of a topology's workers",
    has: ['environment', 'topology'],
    options: [
      option('-f, --follow', 'follow the logs until Ctrl-C'),
      option(
        '-l, --lines <number>',
        `number of lines for each worker (default: ${LINES})`,
      ).argParser(wholeNumber),
      option('--pattern <regexp>', 'only lines that match a regular expression'),
    ],
    examples: ['sparse tail -n wordcount -f', "sparse tail -l 100 --pattern 'ERROR|count'"],
    run: async (session, { follow = false, lines = LINES, pattern }) => {
      const matches = matcher(pattern)
      const { id } = await session.runningTopology()
      const workers = await workersOf(session, id)
      const source = await sourceOf(session)
      const isOne = workers.length === 1
      await Promise.all(
        workers.map((worker) =>
          tailLog({
            topologyId: id,
            worker,
            source,
            // With a pattern, all lines are read and searched.
            lines: pattern === undefined ? lines : Number.MAX_SAFE_INTEGER,
            follow,
            signal: session.interrupt.signal,
            onLine: (line) => {
              if (!matches(line)) return
              const from = isOne ? '' : `${worker.host}:${worker.port} `
              process.stdout.write(`${from}${visibleText(line)}\n`)
            },
          }),
        ),
      )
    },
  })
  declare<{ readonly yes?: boolean }>(sparse, {
    name: 'remove_logs',
    aliases: ['remove-logs'],
    summary: "remove the logs of a topology's workers",
    has: ['environment', 'topology', 'output'],
    options: [
      option(
        '-y, --yes',
        'remove the logs; without this option the command only shows what it would remove',
      ),
    ],
    examples: ['sparse remove_logs -n wordcount --yes'],
    run: async (session, { yes }) => {
      const { id, name } = await session.runningTopology()
      const source = await sourceOf(session)
      if (source.kind === 'logviewer') {
        throw new UsageError(
          "Storm's logviewer cannot remove logs: set storm_log_path of the environment to the folder of Storm's logs, which the command reads directly, or with ssh on other hosts",
        )
      }
      const hosts = [...new Set((await workersOf(session, id)).map(({ host }) => host))]
      if (yes !== true) {
        throw new UsageError(
          `the logs of ${name} in ${source.folder} on ${hosts.join(', ')} would be removed: use --yes to remove them`,
        )
      }
      const removed: { host: string; files: number | undefined }[] = []
      for (const host of hosts) removed.push({ host, files: await removeLogs(source, host, id) })
      const lines = removed.map(({ host, files }) => {
        const count = files === undefined ? 'the logs' : `${files} files`
        return `${host}: removed ${count} of ${name}`
      })
      session.report(removed, lines.join('\n'))
    },
  })
}

async function workersOf(session: Session, id: string): Promise<readonly WorkerPlace[]> {
  const nimbus = await session.nimbus()
  const { executors } = await nimbus.topology(id)
  const places = new Map(executors.map(({ host, port }) => [`${host}:${port}`, { host, port }]))
  if (places.size === 0) throw new UsageError('the topology has no workers yet')
  return [...places.values()]
}

/** Reads files if the environment contains their folder, and otherwise asks the logviewer. */
async function sourceOf(session: Session): Promise<LogSource> {
  const { stormLogPath, user, sshPort, logviewerPort } = session.environment
  if (stormLogPath !== undefined) return { kind: 'files', folder: stormLogPath, user, sshPort }
  if (logviewerPort !== undefined) return { kind: 'logviewer', port: logviewerPort }
  const nimbus = await session.nimbus()
  const port = (await nimbus.conf())['logviewer.port']
  return { kind: 'logviewer', port: typeof port === 'number' ? port : LOGVIEWER_PORT }
}

function matcher(pattern: string | undefined): (line: string) => boolean {
  if (pattern === undefined) return () => true
  try {
    const expression = new RegExp(pattern)
    return (line) => expression.test(line)
  } catch (error) {
    throw new UsageError(
      `--pattern is not a regular expression: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
