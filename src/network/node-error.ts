/** Errors of Node's core may belong to another realm than this module (in Jest), where `instanceof` fails. */

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
