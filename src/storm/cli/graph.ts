/** A topology as a graph: components, and the streams between them. */
import type { Description } from '../topology/description.ts'
import type { ThriftGrouping } from '../topology/storm-topology.ts'

export interface GraphNode {
  readonly name: string
  readonly kind: 'spout' | 'bolt'
  readonly parallelism: number
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  /** The stream's name unless it is the default one, and the grouping. */
  readonly label: string
}

export interface Graph {
  readonly name: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

export function graphOf({ name, topology: { spouts, bolts } }: Description): Graph {
  return {
    name,
    nodes: [
      ...Object.entries(spouts).map(([component, { common }]) => ({
        name: component,
        kind: 'spout' as const,
        parallelism: common.parallelism_hint,
      })),
      ...Object.entries(bolts).map(([component, { common }]) => ({
        name: component,
        kind: 'bolt' as const,
        parallelism: common.parallelism_hint,
      })),
    ],
    edges: Object.entries(bolts).flatMap(([to, { common }]) =>
      common.inputs.map(([{ componentId, streamId }, grouping]) => ({
        from: componentId,
        to,
        label: `${streamId === 'default' ? '' : `${streamId}: `}${groupingText(grouping)}`,
      })),
    ),
  }
}

function groupingText(grouping: ThriftGrouping): string {
  if ('fields' in grouping) {
    return grouping.fields.length === 0 ? 'global' : `fields(${grouping.fields.join(', ')})`
  }
  if ('custom_object' in grouping) {
    return grouping.custom_object.full_class_name.replace(/^.*\./, '')
  }
  const [kind = ''] = Object.keys(grouping)
  return kind.replaceAll('_', ' ')
}

/** Graphviz's language. */
export function toDot({ name, nodes, edges }: Graph): string {
  const lines = [
    `digraph ${quoted(name)} {`,
    '  rankdir=LR',
    '  node [fontname="sans-serif", shape=box, style=rounded]',
    '  edge [fontname="sans-serif", fontsize=10]',
    ...nodes.map(({ name: node, kind, parallelism }) => {
      const shape = kind === 'spout' ? ', shape=house, orientation=270' : ''
      return `  ${quoted(node)} [label=${quoted(labelOf(node, parallelism))}${shape}]`
    }),
    ...edges.map(
      ({ from, to, label }) => `  ${quoted(from)} -> ${quoted(to)} [label=${quoted(label)}]`,
    ),
    '}',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

export function labelOf(name: string, parallelism: number): string {
  return parallelism === 1 ? name : `${name} ×${parallelism}`
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
