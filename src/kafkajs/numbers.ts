/**
 * Returns the options with those of these names as numbers. kafkajs never checks them and only calculates with them, so
 * that text, such as that of an environment variable, is accepted as well.
 */
export function withNumbers<Options extends object>(
  options: Options,
  names: readonly (keyof Options)[],
): Options {
  let numbers = options
  for (const name of names) {
    const value: unknown = options[name]
    if (typeof value === 'string') numbers = { ...numbers, [name]: Number(value) }
  }
  return numbers
}
