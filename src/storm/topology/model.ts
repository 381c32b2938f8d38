import { Component } from '../component/component.ts'
import { DEFAULT_STREAM, streamsOf, type StreamModel } from '../component/outputs.ts'
import { StormError } from '../errors.ts'
import type {
  BoltDeclaration,
  Bolts,
  Config,
  Parallelism,
  SpoutDeclaration,
  Spouts,
} from './declarations.ts'
import type { ForeignComponent } from './foreign.ts'
import type { Grouping } from './groupings.ts'

/** An input stream of a bolt. */
export interface InputModel {
  /** The component that emits the stream. */
  readonly component: string
  /** The name of the stream. */
  readonly stream: string
  /** How the tuples are divided among the tasks. */
  readonly grouping: Grouping
}

/** A component of a topology, after validation. */
export interface ComponentModel {
  readonly name: string
  /** Whether it is a spout or a bolt. */
  readonly kind: 'spout' | 'bolt'
  /** The function that creates the component, or the component in another language. */
  readonly source: { readonly create: () => Component } | ForeignComponent
  /** The streams that it emits, by name. */
  readonly streams: Readonly<Record<string, StreamModel>>
  /** The streams that it receives. */
  readonly inputs: readonly InputModel[]
  /** The number of its executors and tasks. */
  readonly parallelism: Parallelism
  /** Its configuration, by Storm's names. */
  readonly config: Config
}

/** Storm splits names at these characters in its own ids, and so do inputs. */
const NAME = /^[^\s/:]+$/

/** Validates the components and their inputs. Throws StormError with the name of the component. */
export function componentModels(spouts: Spouts, bolts: Bolts): readonly ComponentModel[] {
  if (Object.keys(spouts).length === 0) throw invalid('a topology must have at least one spout')
  const twice = Object.keys(spouts).find((name) => Object.hasOwn(bolts, name))
  if (twice !== undefined) throw invalid(`'${twice}' is both a spout and a bolt`, twice)
  const streams = new Map(
    Object.entries({ ...spouts, ...bolts }).map(([name, declared]) => [
      name,
      declaredStreams(name, declared),
    ]),
  )
  return [
    ...Object.entries(spouts).map(([name, declared]) => {
      const model = modelOf(name, 'spout', declared, streams.get(name)!, [])
      if (Object.keys(model.streams).length > 0) return model
      throw invalid(`the spout '${name}' has no outputs: no bolt can receive its tuples`, name)
    }),
    ...Object.entries(bolts).map(([name, declared]) =>
      modelOf(name, 'bolt', declared, streams.get(name)!, inputsOf(name, declared, streams)),
    ),
  ]
}

type Streams = Readonly<Record<string, StreamModel>>

function declaredStreams(name: string, declared: SpoutDeclaration | BoltDeclaration): Streams {
  if (!NAME.test(name) || name.startsWith('__')) {
    throw invalid(
      `'${name}' is not a valid name: it must not contain spaces, '/' or ':', nor begin with '__'`,
      name,
    )
  }
  // Callers without types may pass anything.
  const component: unknown = (declared as Partial<SpoutDeclaration> | undefined)?.component
  if ((typeof component !== 'function' && typeof component !== 'object') || component === null) {
    throw invalid(`'${name}' has no component: set it to a class`, name)
  }
  if (component instanceof Component) {
    throw invalid(`the component of '${name}' is an object: use the class, with args`, name)
  }
  return streamsOf(Reflect.get(component, 'outputs') as unknown, name)
}

function modelOf(
  name: string,
  kind: ComponentModel['kind'],
  declared: SpoutDeclaration | BoltDeclaration,
  streams: Streams,
  inputs: readonly InputModel[],
): ComponentModel {
  const { component, args = [], parallelism = 1, config = {} } = declared
  checkParallelism(name, parallelism)
  checkConfig(`config of '${name}'`, config, name)
  if (typeof component !== 'function') {
    checkForeign(name, component)
    return { name, kind, source: component, streams, inputs, parallelism, config }
  }
  const isOfKind = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, kind === 'spout' ? 'nextTuple' : 'process') === 'function'
  if (!isOfKind(component.prototype)) {
    throw invalid(
      `the component of '${name}' is not a class that extends ${kind === 'spout' ? 'Spout' : 'Bolt'}`,
      name,
    )
  }
  const create = (): Component => {
    // The compiler has checked that these are the arguments of the constructor.
    const made: unknown = Reflect.construct(component, args)
    if (made instanceof Component) return made
    throw invalid(`the component of '${name}' does not extend Spout or Bolt`, name)
  }
  return { name, kind, source: { create }, streams, inputs, parallelism, config }
}

function checkForeign(name: string, component: ForeignComponent): void {
  if (component.kind === 'shell' && component.command === '') {
    throw invalid(`'${name}' has no command`, name)
  }
  if (component.kind === 'shell' && typeof component.script !== 'string') {
    throw invalid(`'${name}' has no script: use an empty one if the command takes none`, name)
  }
  if (component.kind !== 'java') return
  if (component.className === '') throw invalid(`'${name}' has no className`, name)
  for (const argument of component.args) {
    if (['string', 'number', 'boolean', 'bigint'].includes(typeof argument)) continue
    if (argument instanceof Uint8Array) continue
    throw invalid(`'${name}' has an argument that Storm cannot pass to a Java constructor`, name)
  }
}

export function checkConfig(what: string, config: unknown, name?: string): void {
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return
  throw invalid(`the ${what} must be an object`, name)
}

function checkParallelism(name: string, parallelism: Parallelism): void {
  const numbers = typeof parallelism === 'object' ? Object.values(parallelism) : [parallelism]
  if (numbers.every((number) => Number.isSafeInteger(number) && number > 0)) return
  throw invalid(
    `the parallelism of '${name}' must be a whole number of at least 1, or one for each environment`,
    name,
  )
}

function inputsOf(
  name: string,
  { inputs }: BoltDeclaration,
  streams: ReadonlyMap<string, Streams>,
): readonly InputModel[] {
  const given: unknown = inputs
  if (typeof given !== 'object' || given === null) {
    throw invalid(`the inputs of '${name}' must be an object or an array`, name)
  }
  const entries: readonly (readonly [string, Grouping | undefined])[] = Array.isArray(inputs)
    ? // `Array.isArray` narrows to an array of any.
      (inputs as readonly string[]).map((key) => [key, undefined] as const)
    : Object.entries(inputs)
  if (entries.length === 0) throw invalid(`the bolt '${name}' must have at least one input`, name)
  return entries.map(([key, grouping]) => inputOf(name, key, grouping, streams))
}

function inputOf(
  name: string,
  key: string,
  given: Grouping | undefined,
  streams: ReadonlyMap<string, Streams>,
): InputModel {
  const [component = '', stream = DEFAULT_STREAM] = key.split(':')
  const ofComponent = streams.get(component)
  if (ofComponent === undefined) {
    const known = [...streams.keys()].join(', ')
    throw invalid(
      `the bolt '${name}' has the input '${key}', but the topology has no component '${component}'; it has ${known}`,
      name,
    )
  }
  const model = ofComponent[stream]
  if (model === undefined) {
    const known = Object.keys(ofComponent).join(', ') || 'none'
    throw invalid(
      `the bolt '${name}' has the input '${key}', but '${component}' has no stream '${stream}'; it has ${known}`,
      name,
    )
  }
  const grouping = given ?? { type: model.direct ? 'direct' : 'shuffle' }
  checkGrouping(name, key, grouping, model)
  return { component, stream, grouping }
}

const TYPES = [
  'shuffle',
  'localOrShuffle',
  'all',
  'none',
  'direct',
  'global',
  'fields',
  'custom',
  'serialized',
]

function checkGrouping(name: string, key: string, grouping: Grouping, stream: StreamModel): void {
  if (typeof grouping !== 'object' || !TYPES.includes(grouping.type)) {
    throw invalid(
      `the bolt '${name}' has no grouping for '${key}': use shuffle(), fields('name') and so on`,
      name,
    )
  }
  if ((grouping.type === 'direct') !== stream.direct) {
    const problem = stream.direct
      ? 'is a direct stream: use direct()'
      : 'is not a direct stream: declare it with directStream()'
    throw invalid(`the bolt '${name}' has the input '${key}', which ${problem}`, name)
  }
  if (grouping.type !== 'fields') return
  if (grouping.fields.length === 0)
    throw invalid(`the bolt '${name}' groups '${key}' by no fields`, name)
  const unknown = grouping.fields.find((field) => !stream.fields.includes(field))
  if (unknown === undefined) return
  throw invalid(
    `the bolt '${name}' groups '${key}' by '${unknown}', but its fields are ${stream.fields.join(', ')}`,
    name,
  )
}

export function invalid(problem: string, component?: string): StormError {
  return new StormError('INVALID_TOPOLOGY', problem, component)
}
