/** Which names patterns such as `page-*` mean; every name where there is no pattern. */
export function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.length === 0) return () => true
  const expressions = patterns.map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('.*')}$`, 's')
  })
  return (name) => expressions.some((expression) => expression.test(name))
}

/** Whether a name has a wildcard. */
export function isPattern(name: string): boolean {
  return name.includes('*')
}
