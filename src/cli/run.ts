import { reportFailure, reportFailuresOf } from './failure.ts'
import { programFor } from './program.ts'

/** Runs the command line of this process. */
export function run(): void {
  reportFailuresOf(process.stdout)
  parse(process.argv.slice(2)).catch(reportFailure)
}

async function parse(given: readonly string[]): Promise<void> {
  const args = await commandFirst(given)
  const samsa = await programFor(args)
  await samsa.parseAsync(args, { from: 'user' })
}

/** The options are loaded only for a line that begins with one, to keep the start short. */
async function commandFirst(args: readonly string[]): Promise<readonly string[]> {
  const hasCommand = args.some((arg) => !arg.startsWith('-'))
  if (!hasCommand || args[0]?.startsWith('-') !== true) return args
  const { moveLeadingOptions } = await import('./leading-options.ts')
  return moveLeadingOptions(args)
}
