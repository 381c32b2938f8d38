import type { Command } from 'commander'
import { once } from 'node:events'
import { LocalCluster } from '../../deploy/local-cluster.ts'
import { StormError } from '../../errors.ts'
import { Nimbus } from '../../thrift/nimbus.ts'
import { option, positive } from '../../../terminal/arguments.ts'
import { declare, stormSettings } from '../command.ts'
import { ComponentLog } from '../component-log.ts'
import { visibleText } from '../../../terminal/visible.ts'
import { stormOptions, type GivenOptions } from '../storm-options.ts'
import { withNodePath } from '../with-node-path.ts'

interface RunOptions extends GivenOptions {
  readonly time?: number
  readonly verbose?: boolean
}

export function runCommand(sparse: Command): void {
  declare<RunOptions>(sparse, {
    name: 'run',
    summary: 'run a topology in one JVM on this machine, until -t or Ctrl-C',
    has: ['environment', 'topology'],
    options: [
      option('-t, --time <seconds>', 'time until the end (default: until Ctrl-C)').argParser(
        positive,
      ),
      option('-v, --verbose', "also show Storm's own log"),
      ...stormSettings(),
    ],
    examples: ['sparse run -n wordcount -t 30', 'sparse run -o topology.max.spout.pending=100'],
    run: async (session, options) => {
      const environment = session.environmentIfAny
      const { name, config, topology, jar } = await session.package(environment)
      const settings = stormOptions({
        given: options,
        topology: config,
        environment,
        serializer: environment?.serializer ?? session.config.serializer,
        hasSerializers: true,
        workerHosts: 1,
      })
      const log = new ComponentLog(options.verbose === true)
      // Errors that components report because everything ends are not shown.
      let isEnding = false
      const slots = settings['topology.workers']
      await using cluster = await LocalCluster.start({
        jar,
        variables: process.env,
        slots: typeof slots === 'number' ? slots : 1,
        isVerbose: options.verbose === true,
        onLine: (line) => {
          const shown = log.take(line)
          if (shown !== undefined && (!isEnding || options.verbose === true))
            process.stdout.write(`${visibleText(shown)}\n`)
        },
      })
      using nimbus = await Nimbus.connect({ seeds: [cluster.nimbus] })
      await nimbus.submit({
        name,
        config: settings,
        topology: withNodePath(topology, process.execPath),
        jarLocation: undefined,
      })
      session.note(`${name} is running${options.time === undefined ? ', until Ctrl-C' : ''}`)
      const timer = timeout(options.time)
      const end = await Promise.race([
        log.died,
        cluster.ended.then((exitCode) => ({ exitCode })),
        session.interrupt.happened,
        timer.passed,
        // The reader of the output has exited, such as `head`.
        once(process.stdout, 'error').then(() => undefined),
      ])
      isEnding = true
      timer.clear()
      if (end === undefined) return
      if ('component' in end) {
        const { component, reason } = end
        const message = `the topology has ended because of the component '${component}': ${reason}`
        throw new StormError('TOPOLOGY_FAILED', message, component)
      }
      throw new StormError(
        'TOPOLOGY_FAILED',
        `Storm ended with exit code ${end.exitCode}: use -v to see its log`,
      )
    },
  })
}

function timeout(seconds: number | undefined): { passed: Promise<undefined>; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<undefined>((resolve) => {
    if (seconds !== undefined) timer = setTimeout(() => resolve(undefined), seconds * 1_000)
  })
  return { passed, clear: () => clearTimeout(timer) }
}
