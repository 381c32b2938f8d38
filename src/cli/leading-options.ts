import { COMMON } from './command.ts'

/**
 * Moves connection options that stand before the command behind its words: `samsa --brokers HOST topics` is
 * `samsa topics --brokers HOST`. Each command declares these options itself, so that its --help lists them.
 */
export function moveLeadingOptions(args: readonly string[]): readonly string[] {
  const end = endOfLeadingOptions(args)
  const rest = args.slice(end)
  const afterWords = rest.findIndex((arg) => arg.startsWith('-'))
  const at = afterWords === -1 ? rest.length : afterWords
  return [...rest.slice(0, at), ...args.slice(0, end), ...rest.slice(at)]
}

/** The number of arguments at the start that are connection options and their values. */
function endOfLeadingOptions(args: readonly string[]): number {
  const options = COMMON.connection()
  for (let end = 0; ;) {
    const [name, value] = args[end]?.split(/=(.*)/s, 2) ?? []
    const option = options.find(({ short, long }) => name === short || name === long)
    if (option === undefined) return end
    if (!option.required || value !== undefined) end++
    // -P is a mode in kcat, without a value: leave it for the message about modes.
    else if (args[end + 1]?.startsWith('-') === false) end += 2
    else return end
  }
}
