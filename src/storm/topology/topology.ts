import type { Component } from '../component/component.ts'
import type { Bolts, CheckedBolts, CheckedSpouts, Config, Spouts } from './declarations.ts'
import { fluxOf, type FluxTopology } from './flux.ts'
import { checkConfig, componentModels, invalid, type ComponentModel } from './model.ts'
import { stormTopologyOf, type Execution, type StormTopology } from './storm-topology.ts'

/** What a topology is made of. */
export interface TopologyDefinition<S, B> {
  /** Its name on the cluster. */
  readonly name: string
  /** The spouts by name. */
  readonly spouts: S
  /** The bolts by name. */
  readonly bolts: B
  /** Storm's settings, such as `topology.max.spout.pending`. */
  readonly config?: Config
  /** What differs in an environment: settings that take precedence over `config`. */
  readonly environments?: Readonly<Record<string, { readonly config?: Config }>>
}

/** The options of describing a topology. */
export interface DescribeOptions {
  /** Default: none; parallelism by environment is then that of `default`. */
  readonly environment?: string
  /** What runs a component: this, with `script`. Default: node. */
  readonly command?: string
  /** The bundle of the topology, in the jar's `resources`. Default: topology.cjs. */
  readonly script?: string
}

/** A topology that was checked. Made by `defineTopology`. */
export class Topology {
  readonly name: string
  /** The components, checked and with their defaults. */
  readonly components: readonly ComponentModel[]
  readonly #config: Config
  readonly #environments: Readonly<Record<string, { readonly config?: Config }>>

  /** Throws StormError. */
  constructor(definition: TopologyDefinition<Spouts, Bolts>) {
    const { name, spouts, bolts, config = {}, environments = {} } = definition
    if (typeof name !== 'string' || !/^[^\s/.:\\]+$/.test(name)) {
      throw invalid('a topology needs a name, without spaces and any of / . : \\')
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

  /** The component of this name. Throws StormError. */
  component(name: string): ComponentModel {
    const found = this.components.find((model) => model.name === name)
    if (found !== undefined) return found
    const known = this.components.map((model) => model.name).join(', ')
    throw invalid(`the topology '${this.name}' has no component '${name}'; it has ${known}`, name)
  }

  /** Makes a component of the topology. Throws StormError for one of another language. */
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

  /** How many tasks a component has in this environment. Throws StormError where nothing says. */
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

  /** What Nimbus is sent: the StormTopology structure, with Thrift's names. Throws StormError. */
  toStorm(options: DescribeOptions = {}): StormTopology {
    return stormTopologyOf(this.components, executionOf(options), (model) =>
      this.parallelism(model.name, options.environment),
    )
  }

  /** What Flux reads, as JSON or YAML. Throws StormError for what Flux cannot have. */
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
 * Puts spouts and bolts together. The compiler checks that the streams and fields that bolts take and group by exist,
 * and have the types that they take. Throws StormError for the same where the compiler was not asked.
 */
export function defineTopology<const S extends Spouts, const B extends Bolts>(
  definition: TopologyDefinition<S & CheckedSpouts<S>, B & CheckedBolts<S, B>>,
): Topology {
  return new Topology(definition)
}
