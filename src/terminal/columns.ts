/**
 * The number of columns of standard output: those of the terminal, or of COLUMNS. A file or a pipe
 * has no width.
 */
export function outputColumns(): number {
  const { isTTY, columns } = process.stdout
  const forced = Number(process.env['COLUMNS'])
  if (isTTY && columns > 0) return columns
  return Number.isInteger(forced) && forced > 0 ? forced : Infinity
}
