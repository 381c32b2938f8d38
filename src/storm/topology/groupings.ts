/** How the tuples of a stream are shared out among the tasks of a bolt. */
export type Grouping =
  SimpleGrouping | FieldsGrouping<readonly string[]> | CustomGrouping | SerializedGrouping

/** A grouping without parameters. */
export interface SimpleGrouping {
  /** Storm's name of the grouping. */
  readonly type: 'shuffle' | 'localOrShuffle' | 'all' | 'none' | 'direct' | 'global'
}

/** Tuples with the same values of these fields go to the same task. */
export interface FieldsGrouping<Names extends readonly string[]> {
  /** Tells it from the other groupings. */
  readonly type: 'fields'
  /** The names of the fields. */
  readonly fields: Names
}

/** A grouping that a Java class computes. */
export interface CustomGrouping {
  /** Tells it from the other groupings. */
  readonly type: 'custom'
  /** The full name of the Java class. */
  readonly className: string
  /** The arguments of the class's constructor. */
  readonly args: readonly JavaArgument[]
}

/** A grouping that a serialized Java object computes. */
export interface SerializedGrouping {
  /** Tells it from the other groupings. */
  readonly type: 'serialized'
  /** The object as Java has serialized it. */
  readonly bytes: Uint8Array
}

/** What a constructor of a Java class may be given: whole numbers become long, others double. */
export type JavaArgument = string | number | boolean | bigint | Uint8Array

/** Evenly, by chance. The default. */
export function shuffle(): SimpleGrouping {
  return { type: 'shuffle' }
}

/** Among the tasks of the same worker where it has some, else as `shuffle`. */
export function localOrShuffle(): SimpleGrouping {
  return { type: 'localOrShuffle' }
}

/** By the values of these fields: tuples with the same values go to the same task. */
export function fields<const Names extends readonly [string, ...string[]]>(
  ...names: Names
): FieldsGrouping<Names> {
  return { type: 'fields', fields: names }
}

/** Each tuple to every task. */
export function all(): SimpleGrouping {
  return { type: 'all' }
}

/** All to the task with the lowest id. */
export function global(): SimpleGrouping {
  return { type: 'global' }
}

/** However Storm likes: as `shuffle` so far. */
export function none(): SimpleGrouping {
  return { type: 'none' }
}

/** To the task that the emitter names with `directTask`. For streams made by `directStream`. */
export function direct(): SimpleGrouping {
  return { type: 'direct' }
}

/** As an object of this Java class decides, which implements CustomStreamGrouping. */
export function customGrouping(
  className: string,
  ...args: readonly JavaArgument[]
): CustomGrouping {
  return { type: 'custom', className, args }
}

/** As this Java object decides, which was serialized by Java. */
export function serializedGrouping(bytes: Uint8Array): SerializedGrouping {
  return { type: 'serialized', bytes }
}
