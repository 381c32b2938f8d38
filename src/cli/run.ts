import { reportFailure, reportFailuresOf } from './failure.ts'
import { programFor } from './program.ts'

/** Runs the command line of this process. */
export function run(): void {
  reportFailuresOf(process.stdout)
  programFor(process.argv.slice(2))
    .then((samsa) => samsa.parseAsync())
    .catch(reportFailure)
}
