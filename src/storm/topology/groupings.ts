/** How the tuples of a stream are divided among the tasks of a bolt. */
export type Grouping =
  SimpleGrouping | FieldsGrouping<readonly string[]> | CustomGrouping | SerializedGrouping

/** A grouping without parameters. */
export interface SimpleGrouping {
  /** Storm's name of the grouping. */
  readonly type: 'shuffle' | 'localOrShuffle' | 'all' | 'none' | 'direct' | 'global'
}

/** Tuples with the same values of these fields go to the same task. */
export interface FieldsGrouping<Names extends readonly string[]> {
  /** Distinguishes it from the other groupings. */
  readonly type: 'fields'
  /** The names of the fields. */
  readonly fields: Names
}

/** A grouping that a Java class computes. */
export interface CustomGrouping {
  /** Distinguishes it from the other groupings. */
  readonly type: 'custom'
  /** The full name of the Java class. */
  readonly className: string
  /** The arguments of the class's constructor. */
  readonly args: readonly JavaArgument[]
}

/** A grouping that a serialized Java object computes. */
export interface SerializedGrouping {
  /** Distinguishes it from the other groupings. */
  readonly type: 'serialized'
  /** The object, serialized by Java. */
  readonly bytes: Uint8Array
}

/**
 * The valid arguments of a constructor of a Java class: whole numbers become long, others double.
 */
export type JavaArgument = string | number | boolean | bigint | Uint8Array

/** Distributes tuples evenly and at random. The default. */
export function shuffle(): SimpleGrouping {
  return { type: 'shuffle' }
}

/** Prefers the tasks of the same worker if there are any, otherwise like `shuffle`. */
export function localOrShuffle(): SimpleGrouping {
  return { type: 'localOrShuffle' }
}

/** Sends tuples with the same values of these fields to the same task. */
export function fields<const Names extends readonly [string, ...string[]]>(
  ...names: Names
): FieldsGrouping<Names> {
  return { type: 'fields', fields: names }
}

/** Sends each tuple to every task. */
export function all(): SimpleGrouping {
  return { type: 'all' }
}

/** Sends all tuples to the task with the lowest id. */
export function global(): SimpleGrouping {
  return { type: 'global' }
}

/** Leaves the choice to Storm, which currently does the same as for `shuffle`. */
export function none(): SimpleGrouping {
  return { type: 'none' }
}

/**
 * Sends each tuple to the task that the emitter names with `directTask`. For streams created by
 * `directStream`.
 */
export function direct(): SimpleGrouping {
  return { type: 'direct' }
}

/** Uses an object of this Java class, which implements CustomStreamGrouping. */
export function customGrouping(
  className: string,
  ...args: readonly JavaArgument[]
): CustomGrouping {
  return { type: 'custom', className, args }
}

/** Uses this Java object, which was serialized by Java. */
export function serializedGrouping(bytes: Uint8Array): SerializedGrouping {
  return { type: 'serialized', bytes }
}
