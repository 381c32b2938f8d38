import { builtCommand } from './built.ts'
import { RunningCommand } from './running-command.ts'

/** `samsa broker`, as it was built. */
export function runBroker(...args: readonly string[]): RunningCommand {
  return new RunningCommand(process.execPath, [builtCommand(), 'broker', ...args])
}

/** Where the brokers listen, once they report it. */
export async function hostsOf(running: RunningCommand): Promise<string> {
  const [, hosts] = await running.printed(/^ {2}(127\.0\.0\.1:\S+)$[^]*Ctrl-C ends it/m)
  return hosts!
}
