/** Selects the names that match patterns such as `page-*`; every name if there is no pattern. */
export function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => true
  const expressions = patterns.map((pattern) => new RegExp(`^${sourceOf(pattern)}$`, 's'))
  return (name) => expressions.some((expression) => expression.test(name))
}

/** Whether a name has a wildcard. */
export function isPattern(name: string): boolean {
  return name.includes('*')
}

/** Converts a pattern to the source of a regular expression with the flag `s`. */
export function sourceOf(pattern: string): string {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return parts.join('.*')
}
