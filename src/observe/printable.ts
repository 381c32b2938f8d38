/** Control characters, line and paragraph separators, and invisible characters that change how text is displayed. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu
/** The maximum length of a quoted text. */
const LONGEST_QUOTED = 200

/**
 * Returns text for errors and logs on one line, without escape sequences. Parts of it may come from a broker (hosts,
 * error messages, mechanisms) and must not forge log lines or control a terminal.
 */
export function printable(text: string, longest = Infinity): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return cut.replaceAll(UNPRINTABLE, ' ')
}

/** Returns text from another system in quotes, shortened if it is long. */
export function quoted(text: string): string {
  return `'${printable(text, LONGEST_QUOTED).replaceAll(/\s+/g, ' ').trim()}'`
}
