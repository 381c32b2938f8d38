/** Control characters, line and paragraph separators, and invisible ones that change how text is displayed. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu
/** More than this of a quoted text is not worth its place in a log. */
const LONGEST_QUOTED = 200

/**
 * Text for errors and logs, on one line and without escape sequences. Parts of it may come from a broker
 * (hosts, error messages, mechanisms), whose text must not forge log lines or control a terminal.
 */
export function printable(text: string, longest = Infinity): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return cut.replaceAll(UNPRINTABLE, ' ')
}

/** Text from elsewhere, in quotes and cut when it is long. */
export function quoted(text: string): string {
  return `'${printable(text, LONGEST_QUOTED).replaceAll(/\s+/g, ' ').trim()}'`
}
