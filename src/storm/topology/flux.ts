/**
 * A topology in the form of Storm's Flux. JSON is valid YAML: `JSON.stringify` creates the content
 * of a file.
 */
import type { Config } from './declarations.ts'
import type { Grouping } from './groupings.ts'
import { invalid, type ComponentModel } from './model.ts'
import type { Execution } from './storm-topology.ts'

const SHELL_BOLT = 'org.apache.storm.flux.wrappers.bolts.FluxShellBolt'
const SHELL_SPOUT = 'org.apache.storm.flux.wrappers.spouts.FluxShellSpout'
/** Flux requires a constructor argument even if a bolt emits nothing; this is streamparse's. */
const NO_FIELDS = ['NONE_BUT_FLUX_WANTS_SOMETHING_HERE']

export interface FluxComponent {
  /** The name of the component in the topology. */
  readonly id: string
  /** The Java class that runs it. */
  readonly className: string
  /** The arguments of the class's constructor. */
  readonly constructorArgs: readonly unknown[]
  /** The number of executors. */
  readonly parallelism: number
  /** Methods to call after the constructor, with their arguments. */
  readonly configMethods?: readonly { readonly name: string; readonly args: readonly unknown[] }[]
}

/** A stream between two components. */
export interface FluxStream {
  /** The component that emits the stream. */
  readonly from: string
  /** The component that receives the stream. */
  readonly to: string
  /** How the tuples are divided among the tasks of that component. */
  readonly grouping: Readonly<Record<string, unknown>>
}

/** A topology in the form of Storm's Flux. */
export interface FluxTopology {
  readonly name: string
  /** The configuration of the topology, by Storm's names. */
  readonly config?: Config
  /** The spouts. */
  readonly spouts: readonly FluxComponent[]
  /** The bolts. */
  readonly bolts?: readonly FluxComponent[]
  /** The streams between them. */
  readonly streams?: readonly FluxStream[]
}

export function fluxOf(
  name: string,
  config: Config,
  models: readonly ComponentModel[],
  execution: Execution,
  parallelismOf: (model: ComponentModel) => number,
): FluxTopology {
  const componentOf = (model: ComponentModel): FluxComponent =>
    fluxComponent(model, execution, parallelismOf(model))
  const bolts = models.filter(({ kind }) => kind === 'bolt')
  const streams = bolts.flatMap((model) =>
    model.inputs.map(({ component, stream, grouping }) => ({
      from: component,
      to: model.name,
      grouping: { streamId: stream, ...fluxGrouping(grouping, model.name) },
    })),
  )
  return {
    name,
    ...(Object.keys(config).length === 0 ? {} : { config }),
    spouts: models.filter(({ kind }) => kind === 'spout').map(componentOf),
    ...(bolts.length === 0 ? {} : { bolts: bolts.map(componentOf), streams }),
  }
}

function fluxComponent(
  { name, kind, source, streams, config }: ComponentModel,
  execution: Execution,
  parallelism: number,
): FluxComponent {
  if (!('create' in source) && source.kind === 'serialized') {
    throw invalid(`Flux does not support serialized Java objects, such as '${name}'`, name)
  }
  if (!('create' in source) && source.kind === 'java') {
    const { className, args } = source
    return { id: name, className, constructorArgs: args, parallelism }
  }
  const direct = Object.keys(streams).find((stream) => streams[stream]!.direct)
  if (direct !== undefined)
    throw invalid(`Flux does not support direct streams, such as '${name}:${direct}'`, name)
  const { command, script } = 'create' in source ? execution : source
  const { default: main, ...others } = streams
  return {
    id: name,
    className: kind === 'spout' ? SHELL_SPOUT : SHELL_BOLT,
    constructorArgs: [[command, script], main?.fields ?? NO_FIELDS],
    configMethods: [
      ...Object.entries(others).map(([stream, { fields }]) => ({
        name: 'setNamedStream',
        args: [stream, fields],
      })),
      ...Object.entries(config).map((entry) => ({ name: 'addComponentConfig', args: entry })),
    ],
    parallelism,
  }
}

function fluxGrouping(grouping: Grouping, name: string): Readonly<Record<string, unknown>> {
  switch (grouping.type) {
    case 'fields':
      return { type: 'FIELDS', args: grouping.fields }
    case 'localOrShuffle':
      return { type: 'LOCAL_OR_SHUFFLE' }
    case 'custom': {
      const { className, args } = grouping
      return { type: 'CUSTOM', customClass: { className, constructorArgs: args } }
    }
    case 'serialized':
      throw invalid(`Flux does not support serialized groupings, such as that of '${name}'`, name)
    default:
      return { type: grouping.type.toUpperCase() }
  }
}
