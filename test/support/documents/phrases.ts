/**
 * Wording that makes a reader read a sentence twice. `phrasesIn` finds it in documents, comments, messages and test
 * names, also when a line break divides the phrase.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Finding {
  readonly line: number
  readonly found: string
  readonly instead: string
}

/** Nouns for people, of which "who" is right. */
const PEOPLE = 'people|persons?|users?|readers?|someone|anyone|everyone|developers?|administrators?'

/** Regular expressions without word boundaries, where a space stands for any break; and what to write instead. */
const PHRASES: readonly (readonly [pattern: string, instead: string])[] = [
  // Directly after a quote it is a name.
  [
    `(?<!\\b(?:${PEOPLE}),? |")(?:who|whom)`,
    'what it is, such as "a caller that", "the member that"',
  ],
  ['callers call', '"call this", or "called when"'],
  ['who(?:so)?ever', 'what it is, such as "any caller that"'],
  ['anew', '"again", "new"'],
  // Quoted or after an equals sign it is a name, such as that of an unknown user.
  [
    `(?<!['"=:])(?:no|some|any)body(?!['"])`,
    'what it is, such as "no client", "no member", "another process"',
  ],
  ['to be had', '"available"'],
  ['(?:tells?|told|telling) of', '"reports", "mentions"'],
  ['hears?|heard', '"receives", "learns"'],
  ['(?:is|are|was) said|(?:says?|said|saying) so', '"reports", "logs", "throws"'],
  ['(?:is|are|was|were) owed', '"is due"'],
  ['for good', '"permanently", or name what ends it'],
  ['in the end', '"finally", or leave it out'],
  ['and the like', 'list them, or "such as"'],
  ['so many(?! that)', '"this many", "that many", or the number'],
  ['where (?:that|it) is(?: not)? so', 'name the condition'],
  ['comes? to nothing', '"fails", "has no effect"'],
  ['at hand', '"current", "available"'],
  ['(?:puts?|set|sets|putting) right', '"fixes", "corrects"'],
  ['(?:takes?|taken|taking|took) apart', '"parses", "splits"'],
  ['hand(?:s|ed|ing)? over', '"deliver", "pass"'],
  ['(?:would|could|might|must|may|can) else', '"otherwise"'],
  ['need be|nothing else need|need have', '"has to", "is necessary"'],
  ['(?:goes|go|going|went) by', '"uses", "follows", "depends on"'],
  ['as it were', 'leave it out'],
  ['has to do with', '"concerns"'],
  ['to begin with', '"first", "at first"'],
  ['what there is|what is there', 'name it'],
  ['that which', '"what", or name it'],
  ['(?:let|lets|letting) go of', '"releases"'],
  ['asks? of (?:a|an|the|it|them)', '"sends … a request", "requires"'],
  ['(?:is|are|was|be) at work(?: on)?', '"is running", "is processing"'],
  ['wherever', '"if", "everywhere that"'],
  ['come round|comes round', 'name what happens'],
  ['by turns', '"alternately"'],
  ['such a one', 'name it'],
  ['as far as known', '"if known"'],
  ['lies? in the future', '"is in the future"'],
  ['from when on|until when', '"the time from which", "the time until which"'],
  ['stirs?|stirred|stirring', '"triggers"'],
  ['(?:goes|go|going|went) on', '"continues"'],
  // Followed by a topic it is a permission.
  ['(?:reads?|reading) on(?! topic)', '"continues to read"'],
  ['however (?:many|long|often|much)', '"no matter how many", "for any number of"'],
  ['in vain', 'name what fails'],
  ['for ever', '"forever", "without end"'],
  ['worked out', '"computed"'],
  ['(?:shar(?:e|es|ed|ing)|deal(?:s|t|ing)?) out', '"divides", "assigns"'],
  ['as \\w+ as can be', '"as … as possible"'],
  ['(?:has|have|had) (?:its|their) share', 'name the limit that is reached'],
  ['(?:for|to|all) so long(?! as)', '"for this long", or the time'],
  ['for the sake of', '"for", "because"'],
  ['what is no', 'name it: "messages that are not"'],
  ['that (?:is|are) not there', '"that does not exist"'],
  ['half done', '"processed only a part of"'],
  ['lends?|lent|lending|loans?', '"acquired", Kafka\'s term for records of share groups'],
]

/** What may stand between two words of a sentence: spaces, line breaks, and the marks of comments and quotes. */
const BREAK = String.raw`(?:\s|//|\*(?!\/)|[>'"\x60+])+`

const MATCHERS = PHRASES.map(([pattern, instead]) => ({
  expression: new RegExp(`(?<![\\w-])(?:${pattern.replaceAll(' ', BREAK)})(?![\\w-])`, 'gi'),
  instead,
}))

export function phrasesIn(text: string): Finding[] {
  return MATCHERS.flatMap(({ expression, instead }) =>
    [...text.matchAll(expression)].map((match) => ({
      line: text.slice(0, match.index).split('\n').length,
      found: match[0].replace(/[\s/*>]+/g, ' '),
      instead,
    })),
  ).sort((one, other) => one.line - other.line)
}

const SKIPPED = /(?:^|\/)(?:node_modules|dist|coverage|results|fixtures|peers|tools)(?:\/|$)/

/** Every file of the repository with text that a person reads: documents and sources. */
export function writtenFiles(folder = '.'): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.') || SKIPPED.test(path)) return []
    if (entry.isDirectory()) return writtenFiles(path)
    return /\.(?:ts|md|java|js|py)$/.test(entry.name) ? [path] : []
  })
}
