import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { findJava, installedStorm, STORM_VERSION } from '../../deploy/java.ts'
import { fetchStorm } from '../../deploy/maven.ts'
import { option } from '../../../terminal/arguments.ts'
import { declare } from '../command.ts'

export function stormCommands(sparse: Command): void {
  const storm = sparse.command('storm').description("Apache Storm's jars, for sparse run")
  declare<{ readonly again?: boolean; readonly verbose?: boolean }>(storm, {
    name: 'install',
    summary: `fetch Apache Storm ${STORM_VERSION} (140 MB) with Maven`,
    has: ['output'],
    options: [
      option('--again', 'fetch it again if it exists'),
      option('-v, --verbose', "show Maven's output"),
    ],
    examples: ['sparse storm install'],
    run: async (session, { again, verbose }) => {
      await findJava(process.env)
      const folder = installedStorm(process.env)
      if (again === true) await rm(folder, { recursive: true, force: true })
      if (!existsSync(folder)) {
        session.note(`Fetching Apache Storm ${STORM_VERSION}`)
        const show = (text: string): void => {
          if (verbose === true) process.stderr.write(text)
        }
        await fetchStorm(folder, show, session.interrupt.signal)
      }
      session.report(
        { version: STORM_VERSION, folder },
        `Apache Storm ${STORM_VERSION} is in ${folder}`,
      )
    },
  })
}
