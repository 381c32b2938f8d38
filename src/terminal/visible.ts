/** Control characters, and those that change the direction of the text around them. */
const CONTROL = /[\p{Cc}\p{Bidi_Control}]/gu
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The content of a message for a terminal: control characters become text such as `\x1b`, so that a
 * message cannot move the cursor, change the title or overwrite other lines. Line ends, tabs and
 * all other UTF-8 text stay as they are. In bytes that are not UTF-8, all non-ASCII bytes are
 * escaped: some terminals take 0x9b for the beginning of an escape sequence.
 */
export function visible(bytes: Uint8Array): Uint8Array {
  let text: string
  try {
    text = UTF_8.decode(bytes)
  } catch {
    text = Buffer.from(bytes)
      .toString('latin1')
      .replaceAll(/[\x80-\xff]/g, escaped)
  }
  const shown = visibleText(text)
  return shown === text && text.length === bytes.length ? bytes : Buffer.from(shown)
}

/** The same for text. */
export function visibleText(text: string): string {
  return text.replaceAll(CONTROL, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16)
  return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`
}
