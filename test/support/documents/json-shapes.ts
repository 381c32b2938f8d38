/** The shapes of JSON that docs/cli.md describes, and whether a value has one of them. */
import { readFileSync } from 'node:fs'

type Shape =
  | { readonly kind: 'any' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape }
  | { readonly kind: 'union'; readonly shapes: readonly Shape[] }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Field> }

interface Field {
  readonly shape: Shape
  readonly isOptional: boolean
}

export interface Shapes {
  readonly types: ReadonlyMap<string, Shape>
  /** By the name of a command, such as `topic describe`. */
  readonly commands: ReadonlyMap<string, Shape>
}

const PRIMITIVES = new Set(['string', 'number', 'boolean', 'null'])

/** Reads the block of code that begins with the type Error. */
export function documentedShapes(path: string): Shapes {
  const block = /```\n(Error +=[^`]*)```/.exec(readFileSync(path, 'utf8'))?.[1]
  if (block === undefined) throw new Error(`${path} has no shapes`)
  const types = new Map<string, Shape>()
  const commands = new Map<string, Shape>()
  // A line that begins with a space continues with the one before.
  for (const entry of block.replaceAll(/\n +/g, ' ').split('\n')) {
    if (entry.trim() === '') continue
    const type = /^([A-Z]\w*) *= (.*)$/.exec(entry)
    const command = /^([^:{[]+): (.*)$/.exec(entry)
    if (type !== null) types.set(type[1]!, parse(type[2]!))
    else if (command !== null) {
      const names = command[1]!.includes('each line') ? [command[1]!] : command[1]!.split(', ')
      for (const name of names) commands.set(name, parse(command[2]!))
    } else throw new Error(`this is no shape: ${entry}`)
  }
  return { types, commands }
}

function parse(text: string): Shape {
  const tokens = text.match(/[[\]{}|,:?]|[\w.]+/g) ?? []
  let at = 0
  const expectToken = (token: string): void => {
    if (tokens[at++] !== token) throw new Error(`'${token}' is missing in ${text}`)
  }
  const union = (): Shape => {
    const shapes = [one()]
    while (tokens[at] === '|') {
      at++
      shapes.push(one())
    }
    return shapes.length === 1 ? shapes[0]! : { kind: 'union', shapes }
  }
  const one = (): Shape => {
    const token = tokens[at++]
    if (token === '[') {
      const of = union()
      expectToken(']')
      return { kind: 'list', of }
    }
    if (token === '{') return object()
    if (token === undefined) throw new Error(`a shape is missing in ${text}`)
    return token === 'any' ? { kind: 'any' } : { kind: 'name', name: token }
  }
  const object = (): Shape => {
    if (tokens[at] === '[') {
      at += 3
      expectToken(':')
      const of = union()
      expectToken('}')
      return { kind: 'map', of }
    }
    const fields = new Map<string, Field>()
    while (tokens[at] !== '}') {
      if (fields.size > 0) expectToken(',')
      const name = tokens[at++]!
      const isOptional = tokens[at] === '?'
      if (isOptional) at++
      expectToken(':')
      fields.set(name, { shape: union(), isOptional })
    }
    at++
    return { kind: 'object', fields }
  }
  const shape = union()
  if (at !== tokens.length) throw new Error(`'${tokens[at]}' is too much in ${text}`)
  return shape
}

/** What in a value is not as documented for a command: nothing for a value that is. */
export function problemsOf({ types, commands }: Shapes, command: string, value: unknown): string[] {
  const shape = commands.get(command)
  if (shape === undefined) return [`${command} is not documented`]
  return compare(value, shape, '', types)
}

function compare(
  value: unknown,
  shape: Shape,
  place: string,
  types: ReadonlyMap<string, Shape>,
): string[] {
  const wrong = (wanted: string): string[] => [
    `${place || 'it'} is ${kindOf(value)}, not ${wanted}`,
  ]
  switch (shape.kind) {
    case 'any':
      return []
    case 'union': {
      const all = shape.shapes.map((one) => compare(value, one, place, types))
      return all.some((problems) => problems.length === 0) ? [] : all.flat()
    }
    case 'name': {
      if (PRIMITIVES.has(shape.name))
        return primitive(value) === shape.name ? [] : wrong(shape.name)
      const type = types.get(shape.name)
      if (type === undefined) throw new Error(`the type ${shape.name} is not documented`)
      return compare(value, type, place, types)
    }
    case 'list':
      if (!Array.isArray(value)) return wrong('a list')
      return value.flatMap((item: unknown, index) =>
        compare(item, shape.of, `${place}[${index}]`, types),
      )
    case 'map':
      if (!isObject(value)) return wrong('an object')
      return Object.entries(value).flatMap(([name, item]) =>
        compare(item, shape.of, join(place, name), types),
      )
    case 'object': {
      if (!isObject(value)) return wrong('an object')
      const known = Object.entries(value).flatMap(([name, item]) => {
        const field = shape.fields.get(name)
        const at = join(place, name)
        return field === undefined
          ? [`${at} is not documented`]
          : compare(item, field.shape, at, types)
      })
      const missing = [...shape.fields].flatMap(([name, { isOptional }]) =>
        isOptional || Object.hasOwn(value, name) ? [] : [`${join(place, name)} is missing`],
      )
      return [...known, ...missing]
    }
  }
}

function join(place: string, name: string): string {
  return place === '' ? name : `${place}.${name}`
}

function primitive(value: unknown): string {
  return value === null ? 'null' : typeof value
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
