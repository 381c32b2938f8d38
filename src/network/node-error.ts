/** Errors of node's core may be of another realm than this module's (in Jest): `instanceof` fails on them. */

export function codeOf(error: unknown): string {
  return textOf(error, 'code')
}

export function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  return textOf(error, 'message') || textOf(error, 'code') || 'no reason given'
}

function textOf(error: unknown, name: 'code' | 'message'): string {
  if (typeof error !== 'object' || error === null || !(name in error)) return ''
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : ''
}
