import type { StormTopology, ThriftComponentObject } from '../topology/storm-topology.ts'

/** The topology with this program instead of `node`, which its components run. */
export function withNodePath(topology: StormTopology, nodePath: string): StormTopology {
  const changed = (object: ThriftComponentObject): ThriftComponentObject =>
    'shell' in object && object.shell.execution_command === 'node'
      ? { shell: { ...object.shell, execution_command: nodePath } }
      : object
  const { spouts, bolts } = topology
  return {
    ...topology,
    spouts: mapped(spouts, (spout) => ({ ...spout, spout_object: changed(spout.spout_object) })),
    bolts: mapped(bolts, (bolt) => ({ ...bolt, bolt_object: changed(bolt.bolt_object) })),
  }
}

function mapped<T>(of: Readonly<Record<string, T>>, change: (one: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(of).map(([name, one]) => [name, change(one)]))
}
