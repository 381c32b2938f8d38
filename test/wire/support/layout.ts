/**
 * Bytes written down by hand: hex digits, 'text' in quotes, and a comment after a semicolon.
 *
 *     0004 'test'   ; topic
 */
export function layout(text: string): Buffer {
  const parts: Buffer[] = []
  for (const line of text.split('\n')) {
    const [code = ''] = line.split(';')
    for (const [token] of code.matchAll(/'[^']*'|\S+/g)) {
      if (token.startsWith("'")) parts.push(Buffer.from(token.slice(1, -1)))
      else if (/^([0-9a-f]{2})+$/.test(token)) parts.push(Buffer.from(token, 'hex'))
      else throw new Error(`not bytes: ${token}`)
    }
  }
  return Buffer.concat(parts)
}
