import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** Returns text in a style, or unchanged. */
export type Styler = (style: Style, text: string) => string

/**
 * Colours for a terminal. `NO_COLOR` turns them off and `FORCE_COLOR` turns them on (https://no-color.org);
 * a file or a pipe has none.
 */
export function stylerFor(
  isTerminal: boolean,
  variables: Readonly<Record<string, string | undefined>>,
  isWanted = true,
): Styler {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = variables
  const isForced = force !== undefined && force !== '' && force !== '0'
  const isOff = !isWanted || (no !== undefined && no !== '') || force === '0'
  if (isOff || (!isForced && (!isTerminal || term === 'dumb'))) return (_style, text) => text
  return (style, text) => styleText(style, text)
}
