import type { Component } from '../component/component.ts'
import type { Bolts, CheckedBolts, CheckedSpouts, Config, Spouts } from './declarations.ts'
import { fluxOf, type FluxTopology } from './flux.ts'
import { checkConfig, componentModels, invalid, type ComponentModel } from './model.ts'
import { stormTopologyOf, type Execution, type StormTopology } from './storm-topology.ts'

/** The definition of a topology. */
export interface TopologyDefinition<S, B> {
  /** Its name on the cluster. */
  readonly name: string
  /** The spouts by name. */
  readonly spouts: S
  /** The bolts by name. */
  readonly bolts: B
  /** Storm's settings, such as `topology.max.spout.pending`. */
  readonly config?: Config
  /** Differences in an environment: settings that take precedence over `config`. */
  readonly environments?: Readonly<Record<string, { readonly config?: Config }>>
}

/** The options for describing a topology. */
export interface DescribeOptions {
  /** Default: none; parallelism by environment is then that of `default`. */
  readonly environment?: string
  /** The program that runs a component with `script`. Default: node. */
  readonly command?: string
  /** The bundle of the topology, in the jar's `resources`. Default: topology.cjs. */
  readonly script?: string
}

/** A validated topology. Created by `defineTopology`. */
export class Topology {
  readonly name: string
  /** The components, validated and with their defaults. */
  readonly components: readonly ComponentModel[]
  readonly #config: Config
  readonly #environments: Readonly<Record<string, { readonly config?: Config }>>

  /** Throws StormError. */
  constructor(definition: TopologyDefinition<Spouts, Bolts>) {
    const { name, spouts, bolts, config = {}, environments = {} } = definition
    if (typeof name !== 'string' || !/^[^\s/.:\\]+$/.test(name)) {
      throw invalid('a topology must have a name without spaces and without / . : \\')
    }
    checkConfig('config', config)
    for (const [environment, of] of Object.entries(environments)) {
      checkConfig(`config of the environment '${environment}'`, of.config ?? {})
    }
    this.name = name
    this.components = componentModels(spouts, bolts)
    this.#config = config
    this.#environments = environments
  }

  /** The component with this name. Throws StormError. */
  component(name: string): ComponentModel {
    const found = this.components.find((model) => model.name === name)
    if (found !== undefined) return found
    const known = this.components.map((model) => model.name).join(', ')
    throw invalid(`the topology '${this.name}' has no component '${name}'; it has ${known}`, name)
  }

  /** Creates a component of the topology. Throws StormError for one of another language. */
  create(name: string): Component {
    const { source } = this.component(name)
    if ('create' in source) return source.create()
    throw invalid(`'${name}' is not written in JavaScript: only Storm can run it`, name)
  }

  /** Storm's settings in this environment. */
  config(environment?: string): Config {
    const own = environment === undefined ? undefined : this.#environments[environment]?.config
    return { ...this.#config, ...own }
  }

  /** How many tasks a component has in this environment. Throws StormError if no value applies. */
  parallelism(component: string, environment?: string): number {
    const { parallelism } = this.component(component)
    if (typeof parallelism === 'number') return parallelism
    const number =
      (environment === undefined ? undefined : parallelism[environment]) ?? parallelism['default']
    if (number !== undefined) return number
    const known = Object.keys(parallelism).join(', ')
    const asked = environment === undefined ? 'no environment' : `the environment '${environment}'`
    throw invalid(`'${component}' has no parallelism for ${asked}; it has ${known}`, component)
  }

  /** Returns the StormTopology structure for Nimbus, with Thrift's names. Throws StormError. */
  toStorm(options: DescribeOptions = {}): StormTopology {
    return stormTopologyOf(this.components, executionOf(options), (model) =>
      this.parallelism(model.name, options.environment),
    )
  }

  /**
   * Returns the topology for Flux, as JSON or YAML. Throws StormError for parts that Flux does not
   * support.
   */
  toFlux(options: DescribeOptions = {}): FluxTopology {
    const config = this.config(options.environment)
    return fluxOf(this.name, config, this.components, executionOf(options), (model) =>
      this.parallelism(model.name, options.environment),
    )
  }
}

function executionOf({ command = 'node', script = 'topology.cjs' }: DescribeOptions): Execution {
  return { command, script }
}

/**
 * Defines a topology of spouts and bolts. The compiler checks that the streams and fields that
 * bolts take and group by exist, and have the types that the bolts take. Throws StormError for the
 * same errors if the compiler did not check them.
 */
export function defineTopology<const S extends Spouts, const B extends Bolts>(
  definition: TopologyDefinition<S & CheckedSpouts<S>, B & CheckedBolts<S, B>>,
): Topology {
  return new Topology(definition)
}
