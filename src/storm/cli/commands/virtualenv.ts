import type { Command } from 'commander'
import { UsageError } from '../../../terminal/failure.ts'

/** A command of streamparse, for users of its name. */
export function virtualenvCommand(sparse: Command): void {
  sparse
    .command('update_virtualenv', { hidden: true })
    .description('not needed: the bundle of a topology is one file')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new UsageError(
        'virtualenvs are not needed: sparse submit uploads one file with everything that the topology imports',
      )
    })
}
