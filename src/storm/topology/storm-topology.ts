/** Storm's StormTopology structure as plain data, with Thrift's names, as it is sent to Nimbus. */
import type { ForeignComponent } from './foreign.ts'
import type { Grouping, JavaArgument } from './groupings.ts'
import type { ComponentModel } from './model.ts'

/** An argument of a Java constructor, in Storm's Thrift. */
export type ThriftJavaArgument =
  | { readonly int_arg: number }
  | { readonly long_arg: bigint }
  | { readonly string_arg: string }
  | { readonly bool_arg: boolean }
  | { readonly binary_arg: Uint8Array }
  | { readonly double_arg: number }

/** A Java object to construct, in Storm's Thrift. */
export interface ThriftJavaObject {
  /** The full name of the class. */
  readonly full_class_name: string
  /** The arguments of its constructor. */
  readonly args_list: readonly ThriftJavaArgument[]
}

/** The object that runs a component, in Storm's Thrift. */
export type ThriftComponentObject =
  | { readonly serialized_java: Uint8Array }
  | { readonly shell: { readonly execution_command: string; readonly script: string } }
  | { readonly java_object: ThriftJavaObject }

type Empty = Readonly<Record<string, never>>

/** A grouping, in Storm's Thrift. */
export type ThriftGrouping =
  | { readonly fields: readonly string[] }
  | { readonly shuffle: Empty }
  | { readonly all: Empty }
  | { readonly none: Empty }
  | { readonly direct: Empty }
  | { readonly local_or_shuffle: Empty }
  | { readonly custom_object: ThriftJavaObject }
  | { readonly custom_serialized: Uint8Array }

/** The common part of spouts and bolts, in Storm's Thrift. */
export interface ThriftComponentCommon {
  /** Thrift's map<GlobalStreamId, Grouping>, as its entries. */
  readonly inputs: readonly (readonly [
    { readonly componentId: string; readonly streamId: string },
    ThriftGrouping,
  ])[]
  /** The streams that the component emits, by name. */
  readonly streams: Readonly<
    Record<string, { readonly output_fields: readonly string[]; readonly direct: boolean }>
  >
  /** The number of executors. */
  readonly parallelism_hint: number
  /** The configuration of the component, as JSON. */
  readonly json_conf: string
}

/** A topology as Nimbus receives it, in Storm's Thrift. */
export interface StormTopology {
  /** The spouts by name. */
  readonly spouts: Readonly<
    Record<
      string,
      { readonly spout_object: ThriftComponentObject; readonly common: ThriftComponentCommon }
    >
  >
  /** The bolts by name. */
  readonly bolts: Readonly<
    Record<
      string,
      { readonly bolt_object: ThriftComponentObject; readonly common: ThriftComponentCommon }
    >
  >
  /** Always empty: Storm has no state spouts. */
  readonly state_spouts: Empty
}

/** How Storm starts a component of this topology: `command script`. */
export interface Execution {
  readonly command: string
  readonly script: string
}

export function stormTopologyOf(
  models: readonly ComponentModel[],
  execution: Execution,
  parallelismOf: (model: ComponentModel) => number,
): StormTopology {
  const commonOf = (model: ComponentModel): ThriftComponentCommon => ({
    inputs: model.inputs.map(({ component, stream, grouping }) => [
      { componentId: component, streamId: stream },
      thriftGrouping(grouping),
    ]),
    streams: Object.fromEntries(
      Object.entries(model.streams).map(([name, { fields, direct }]) => [
        name,
        { output_fields: fields, direct },
      ]),
    ),
    parallelism_hint: parallelismOf(model),
    json_conf: JSON.stringify(model.config),
  })
  const spouts = models.filter(({ kind }) => kind === 'spout')
  const bolts = models.filter(({ kind }) => kind === 'bolt')
  return {
    spouts: Object.fromEntries(
      spouts.map((model) => [
        model.name,
        { spout_object: objectOf(model.source, execution), common: commonOf(model) },
      ]),
    ),
    bolts: Object.fromEntries(
      bolts.map((model) => [
        model.name,
        { bolt_object: objectOf(model.source, execution), common: commonOf(model) },
      ]),
    ),
    state_spouts: {},
  }
}

function objectOf(source: ComponentModel['source'], execution: Execution): ThriftComponentObject {
  const { command, script } = execution
  if ('create' in source) return { shell: { execution_command: command, script } }
  return foreignObject(source)
}

function foreignObject(source: ForeignComponent): ThriftComponentObject {
  switch (source.kind) {
    case 'shell':
      return { shell: { execution_command: source.command, script: source.script } }
    case 'java':
      return { java_object: javaObject(source.className, source.args) }
    case 'serialized':
      return { serialized_java: source.bytes }
  }
}

function javaObject(className: string, args: readonly JavaArgument[]): ThriftJavaObject {
  return { full_class_name: className, args_list: args.map(javaArgument) }
}

function javaArgument(value: JavaArgument): ThriftJavaArgument {
  switch (typeof value) {
    case 'string':
      return { string_arg: value }
    case 'boolean':
      return { bool_arg: value }
    case 'bigint':
      return { long_arg: value }
    case 'number':
      return Number.isSafeInteger(value) ? { long_arg: BigInt(value) } : { double_arg: value }
    default:
      return { binary_arg: value }
  }
}

function thriftGrouping(grouping: Grouping): ThriftGrouping {
  switch (grouping.type) {
    case 'fields':
      return { fields: grouping.fields }
    // Storm's global grouping is a fields grouping without fields.
    case 'global':
      return { fields: [] }
    case 'localOrShuffle':
      return { local_or_shuffle: {} }
    case 'shuffle':
      return { shuffle: {} }
    case 'all':
      return { all: {} }
    case 'none':
      return { none: {} }
    case 'direct':
      return { direct: {} }
    case 'custom':
      return { custom_object: javaObject(grouping.className, grouping.args) }
    case 'serialized':
      return { custom_serialized: grouping.bytes }
  }
}
