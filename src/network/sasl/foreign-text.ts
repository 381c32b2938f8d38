const LONGEST = 200

/** The other side's words, for an error: cut short, and without what could disturb a terminal or a log. */
export function foreignText(text: string): string {
  const printable = text.replaceAll(/[^\x21-\x7e]+/g, ' ').trim()
  return `'${printable.length > LONGEST ? `${printable.slice(0, LONGEST)}…` : printable}'`
}
