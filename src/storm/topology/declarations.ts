import type { Bolt } from '../component/bolt.ts'
import type { Outputs, StreamsOf } from '../component/outputs.ts'
import type { Spout } from '../component/spout.ts'
import type { Tuple } from '../component/tuple.ts'
import type { ForeignComponent } from './foreign.ts'
import type { FieldsGrouping, Grouping } from './groupings.ts'

/** A number of tasks, or one for each environment: `{ default: 1, production: 8 }`. */
export type Parallelism = number | Readonly<Record<string, number>>

/** Storm's settings by their names. */
export type Config = Readonly<Record<string, unknown>>

// Accepts a class whatever its constructor takes: `args` is checked against it.
type ClassOf<Of> = new (...args: never[]) => Of
/** A class of spouts, with its streams. */
export type SpoutClass = ClassOf<Spout> & { readonly outputs: Outputs }
/** A class of bolts, with its streams. */
export type BoltClass = ClassOf<Pick<Bolt<never>, 'process' | 'processTick' | 'autoAck'>> & {
  readonly outputs?: Outputs
}

/** The common options of spouts and bolts in a topology. */
interface Declaration {
  /** The arguments of the constructor. Default: none. */
  readonly args?: readonly unknown[]
  /** Default: 1. */
  readonly parallelism?: Parallelism
  /** Storm's settings for this component, such as `topology.tick.tuple.freq.secs`. */
  readonly config?: Config
}

/** A spout of a topology: the component and its options. */
export interface SpoutDeclaration extends Declaration {
  /** The class of the spout, or a component in another language. */
  readonly component: SpoutClass | ForeignComponent
}

/** A bolt of a topology: the component, its inputs and its options. */
export interface BoltDeclaration extends Declaration {
  /** The class of the bolt, or a component in another language. */
  readonly component: BoltClass | ForeignComponent
  /**
   * The input streams of the bolt, as `component` (its default stream) or `component:stream`, with
   * their groupings; or a list of them, which use the shuffle grouping.
   */
  readonly inputs: Readonly<Record<string, Grouping>> | readonly string[]
}

export type Spouts = Readonly<Record<string, SpoutDeclaration>>
export type Bolts = Readonly<Record<string, BoltDeclaration>>

type OutputsOf<Declared> = Declared extends { readonly component: infer Component }
  ? Component extends { readonly outputs: infer Out }
    ? Out
    : readonly []
  : never

type TakesOf<Declared> = Declared extends {
  readonly component: new (...args: never[]) => {
    process(tuple: Tuple<infer In>): unknown
  }
}
  ? In
  : object

type ComponentIn<Key> = Key extends `${infer Name}:${string}` ? Name : Key
type StreamIn<Key> = Key extends `${string}:${infer Stream}` ? Stream : 'default'

/**
 * The grouping if it fits, otherwise a sentence with the reason: no grouping is assignable to it.
 */
type CheckedInput<All, Takes, Key, Group> =
  ComponentIn<Key> extends keyof All
    ? StreamsOf<OutputsOf<All[ComponentIn<Key>]>> extends infer Streams
      ? StreamIn<Key> extends keyof Streams
        ? CheckedFields<Streams[StreamIn<Key>], Takes, Group>
        : `'${ComponentIn<Key> & string}' has no stream '${StreamIn<Key> & string}'`
      : never
    : `there is no component '${ComponentIn<Key> & string}'`

type CheckedFields<Fields, Takes, Group> =
  Exclude<RequiredKeys<Takes>, keyof Fields> extends never
    ? Mismatches<Fields, Takes> extends never
      ? CheckedGrouping<Fields, Group>
      : `the field '${Mismatches<Fields, Takes>}' of the stream has another type than the bolt takes`
    : `the stream has no field '${Exclude<RequiredKeys<Takes>, keyof Fields> & string}', which the bolt takes`

type CheckedGrouping<Fields, Group> =
  Group extends FieldsGrouping<infer Names>
    ? Exclude<Names[number], keyof Fields> extends never
      ? Group
      : `the stream has no field '${Exclude<Names[number], keyof Fields> & string}' to group by`
    : Group

/** For a bolt that does not declare its fields, there are none. */
type RequiredKeys<Takes> = string extends keyof Takes
  ? never
  : { [Key in keyof Takes]-?: undefined extends Takes[Key] ? never : Key }[keyof Takes]

/** Values for which the emitter declares no type fit any type. */
type Mismatches<Fields, Takes> = {
  [Key in keyof Fields & keyof Takes & string]: unknown extends Fields[Key]
    ? never
    : Fields[Key] extends Takes[Key]
      ? never
      : Key
}[keyof Fields & keyof Takes & string]

type CheckedInputs<All, Takes, Inputs> = Inputs extends readonly string[]
  ? { readonly [Index in keyof Inputs]: CheckedKey<All, Takes, Inputs[Index]> }
  : { readonly [Key in keyof Inputs]: CheckedInput<All, Takes, Key, Inputs[Key]> }

type CheckedKey<All, Takes, Key> =
  CheckedInput<All, Takes, Key, { readonly type: 'shuffle' }> extends string
    ? CheckedInput<All, Takes, Key, { readonly type: 'shuffle' }>
    : Key

type ArgsOf<Declared> = Declared extends {
  readonly component: new (...args: infer Args) => unknown
}
  ? [] extends Args
    ? { readonly args?: Readonly<Args> }
    : { readonly args: Readonly<Args> }
  : { readonly args?: readonly never[] }

/** The compiler's checks of spouts: the arguments of their constructors. */
export type CheckedSpouts<S> = { readonly [Name in keyof S]: ArgsOf<S[Name]> }

/**
 * The compiler's checks of bolts: the same, and that their inputs exist, with streams, fields and
 * types.
 */
export type CheckedBolts<S, B> = {
  readonly [Name in keyof B]: ArgsOf<B[Name]> & {
    readonly inputs: B[Name] extends { readonly inputs: infer Inputs }
      ? CheckedInputs<S & B, TakesOf<B[Name]>, Inputs>
      : never
  }
}
