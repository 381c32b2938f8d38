import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { hasSerializers } from '../../deploy/package.ts'
import { StormError } from '../../errors.ts'
import type { Nimbus } from '../../thrift/nimbus.ts'
import type { ClusterSummary } from '../../thrift/structures.ts'
import { option, wholeNumber } from '../../../terminal/arguments.ts'
import { declare, stormSettings } from '../command.ts'
import { loadHooks } from '../hooks.ts'
import type { Session } from '../session.ts'
import { stormOptions, type GivenOptions } from '../storm-options.ts'
import { withNodePath } from '../with-node-path.ts'
import { untilGone } from '../until-gone.ts'

interface SubmitOptions extends GivenOptions {
  readonly force?: boolean
  readonly wait?: number
  readonly inactive?: boolean
  readonly queue?: boolean
  readonly overrideName?: string
  readonly localJarPath?: string
  readonly remoteJarPath?: string
}

export function submitCommand(sparse: Command): void {
  declare<SubmitOptions>(sparse, {
    name: 'submit',
    summary: 'bundle a topology and submit it to a cluster',
    has: ['environment', 'topology', 'output'],
    options: [
      option('-f, --force', 'kill a topology of the same name first'),
      option('--wait <seconds>', 'with --force: time for the killed topology to finish').argParser(
        wholeNumber,
      ),
      option('-i, --inactive', 'submit it without starting its spouts'),
      option('--queue', 'submit it even if the cluster has no free slot'),
      option('-N, --override-name <name>', 'name on the cluster (default: that of the topology)'),
      option('-j, --local-jar-path <file>', 'jar to upload instead of a new one'),
      option('-R, --remote-jar-path <path>', 'jar on Nimbus to use instead of an upload'),
      ...stormSettings(),
    ],
    examples: ['sparse submit -e production', 'sparse submit -n wordcount -f -w 4'],
    run: async (session, options) => {
      const { environment } = session
      const packaged = await session.package(environment)
      const hooks = await loadHooks(session.config.hooks)
      const name = options.overrideName ?? packaged.name
      const nimbus = await session.nimbus()
      const cluster = await nimbus.cluster()
      const jar =
        options.localJarPath === undefined ? packaged.jar : await readFile(options.localJarPath)
      const settings = stormOptions({
        given: options,
        topology: packaged.config,
        environment,
        serializer: environment.serializer,
        hasSerializers: options.remoteJarPath === undefined && hasSerializers(jar),
        workerHosts: environment.workers?.length ?? cluster.supervisors.length,
      })
      await makeRoom(session, nimbus, cluster, name, options)
      const context = { topology: name, environment: environment.name, options: settings }
      await hooks.preSubmit?.(context)
      const jarLocation =
        options.remoteJarPath ??
        (await nimbus.upload(jar, (bytes) => progress(session, bytes, jar.length)))
      await nimbus.submit({
        name,
        config: settings,
        topology: withNodePath(packaged.topology, environment.nodePath),
        jarLocation,
        isActive: options.inactive !== true,
      })
      await hooks.postSubmit?.(context)
      const { id, status } = await nimbus.topologyNamed(name)
      session.report({ name, id, status }, `Submitted ${name} as ${id}`)
    },
  })
}

/** Throws StormError if the name is in use, or if no worker could start. */
async function makeRoom(
  session: Session,
  nimbus: Nimbus,
  cluster: ClusterSummary,
  name: string,
  { force, wait = 5, queue }: SubmitOptions,
): Promise<void> {
  const running = cluster.topologies.find((one) => one.name === name)
  if (running !== undefined) {
    if (force !== true) {
      const reason = `the cluster already has a topology '${name}' (${running.status}): kill it first, submit with --force, or use another name with -N`
      throw new StormError('TOPOLOGY_EXISTS', reason)
    }
    if (running.status !== 'KILLED') await nimbus.kill(name, wait)
    session.note(`Waiting until ${name} has ended`)
    await untilGone(nimbus, name, session.interrupt.signal)
  }
  const { supervisors, topologies } = await nimbus.cluster()
  const slots = supervisors.reduce((sum, { num_workers }) => sum + num_workers, 0)
  // Supervisors report the slots of a topology that has ended as used for some seconds.
  const free = topologies.reduce((left, { num_workers }) => left - num_workers, slots)
  if (free > 0 || queue === true) return
  const reason =
    supervisors.length === 0
      ? 'the cluster has no supervisor: start one'
      : `none of the cluster's ${slots} slots is free: kill a topology (sparse slot_usage lists them), or add slots (supervisor.slots.ports)`
  throw new StormError(
    'NO_FREE_SLOT',
    `'${name}' was not submitted, because ${reason}. Use --queue to submit it anyway; it then waits for a slot`,
  )
}

function progress(session: Session, bytes: number, total: number): void {
  if (session.options.json === true || !process.stderr.isTTY) return
  process.stderr.write(
    `\rUploading: ${Math.floor((100 * bytes) / total)} %${bytes === total ? '\n' : ''}`,
  )
}
