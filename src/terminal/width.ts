/**
 * The number of columns that text takes on a terminal. Node has the same function, but does not
 * export it (`getStringWidth` of lib/internal/util/inspect.js).
 */

/**
 * Scripts and characters that terminals draw two columns wide (Unicode's East Asian Width W and F).
 * Characters that several scripts share, such as the ー of Japanese, have no script: they are in the
 * ranges.
 */
const WIDE =
  /^(?:\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Bopomofo}|\p{Script=Yi}|\p{Emoji_Presentation}|[\u3000-\u303e\u3041-\u33ff\uff01-\uff60\uffe0-\uffe6])/u
const NARROW_KATAKANA = /^[\uff61-\uff9f]/
/** Characters that are drawn over the previous one, or not at all. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u
const ONLY_ASCII = /^[\x20-\x7e]*$/
/** Selects the coloured, wide form of a character that has two forms. */
const EMOJI_VARIATION = '\ufe0f'

let segmenter: Intl.Segmenter | undefined

/**
 * Created for the first text that is not ASCII: creating it takes 8 ms, a tenth of a command's
 * start.
 */
function graphemesOf(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return segmenter.segment(text)
}

export function textWidth(text: string): number {
  if (ONLY_ASCII.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment)
  return width
}

/** Truncates the text to at most `width` columns, and ends it with `…` if something is cut off. */
export function fit(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  if (width <= 0) return ''
  if (ONLY_ASCII.test(text)) return `${text.slice(0, width - 1)}…`
  let fitted = ''
  let used = 1
  for (const { segment } of graphemesOf(text)) {
    used += graphemeWidth(segment)
    if (used > width) break
    fitted += segment
  }
  return `${fitted}…`
}

function graphemeWidth(grapheme: string): number {
  if (ZERO.test(grapheme)) return 0
  if (grapheme.includes(EMOJI_VARIATION)) return 2
  return WIDE.test(grapheme) && !NARROW_KATAKANA.test(grapheme) ? 2 : 1
}
