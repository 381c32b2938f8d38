/** Finds casts without a comment that states why they are right. */
import { readFileSync } from 'node:fs'
import ts from 'typescript'

/**
 * Returns the places as `file:line: text`. A comment explains a place if it precedes the statement or one of its parts
 * that contain the place, or the function if that has no other statement; it also explains later casts to the same type
 * in the same function. No explanation is necessary for `as const`
 * and `as unknown`, which are always right, and for `!` after an element, a call or a variable: eslint.config.js says
 * why.
 */
export function unexplainedIn(file: string, text = readFileSync(file, 'utf8')): string[] {
  if (!CANDIDATE.test(text)) return []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const explained = new Map<ts.Node | undefined, Set<string>>()
  const visit = (node: ts.Node): void => {
    if (isCast(node)) {
      const to = ts.isNonNullExpression(node) ? node.getText() : node.type.getText()
      const place = ts.findAncestor(node, ts.isFunctionLike)
      const before = explained.get(place) ?? new Set<string>()
      explained.set(place, before)
      if (isExplained(node, text)) before.add(to)
      else if (!before.has(to)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart())
        found.push(`${file}:${line + 1}: ${node.getText().replace(/\s+/g, ' ')}`)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** What a file has that has to be parsed, outside of lines that begin as comments: most files do not have it. */
const CANDIDATE = /^(?!\s*(?:\/\/|\/?\*)).*(?:\bas (?!const\b|unknown\b)|\w!(?!=)|<\w+>\s*\w)/m

function isCast(node: ts.Node): node is ts.AsExpression | ts.TypeAssertion | ts.NonNullExpression {
  if (ts.isNonNullExpression(node)) return ts.isPropertyAccessExpression(node.expression)
  if (ts.isTypeAssertionExpression(node)) return true
  return (
    ts.isAsExpression(node) &&
    !ts.isConstTypeReference(node.type) &&
    node.type.kind !== ts.SyntaxKind.UnknownKeyword
  )
}

function isExplained(node: ts.Node, text: string): boolean {
  for (let at = node; !ts.isSourceFile(at) && !ts.isBlock(at); at = at.parent) {
    if (ts.getLeadingCommentRanges(text, at.getFullStart()) !== undefined) return true
    // In a conditional expression, a comment before an operand is on the line of the `?` or `:`.
    const isOperand = ts.isConditionalExpression(at.parent)
    if (isOperand && ts.getTrailingCommentRanges(text, at.getFullStart()) !== undefined) return true
    const { parent } = at
    if (ts.isBlock(parent) && parent.statements.length === 1 && ts.isFunctionLike(parent.parent)) {
      at = parent
    }
  }
  return false
}
