/** A graph as SVG: spouts on the left, each bolt in a column to the right of all its inputs. */
import { labelOf, type Graph, type GraphNode } from './graph.ts'

const [WIDTH, HEIGHT] = [150, 44]
const [GAP_X, GAP_Y, MARGIN] = [130, 36, 20]

interface Place {
  readonly x: number
  readonly y: number
}

export function toSvg(graph: Graph): string {
  const places = placesOf(graph)
  const all = [...places.values()]
  const width = Math.max(...all.map(({ x }) => x)) + WIDTH + MARGIN
  const height = Math.max(...all.map(({ y }) => y)) + HEIGHT + MARGIN
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14">`,
    `  <title>${escaped(graph.name)}</title>`,
    '  <defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#555"/></marker></defs>',
    ...graph.edges.map(({ from, to, label }) => edge(places.get(from)!, places.get(to)!, label)),
    ...graph.nodes.map((node) => box(node, places.get(node.name)!)),
    '</svg>',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/**
 * Columns by the longest path from a spout; a loop ends after as many steps as there are
 * components.
 */
function placesOf({ nodes, edges }: Graph): ReadonlyMap<string, Place> {
  const columns = new Map(nodes.map(({ name }) => [name, 0]))
  for (let step = 0; step < nodes.length; step++) {
    for (const { from, to } of edges) {
      const next = columns.get(from)! + 1
      if (next > columns.get(to)! && next < nodes.length) columns.set(to, next)
    }
  }
  const rows = new Map<number, number>()
  return new Map(
    nodes.map(({ name }) => {
      const column = columns.get(name)!
      const row = rows.get(column) ?? 0
      rows.set(column, row + 1)
      return [
        name,
        { x: MARGIN + column * (WIDTH + GAP_X), y: MARGIN + row * (HEIGHT + GAP_Y) },
      ] as const
    }),
  )
}

function edge(from: Place, to: Place, label: string): string {
  const [x1, y1] = [from.x + WIDTH, from.y + HEIGHT / 2]
  const [x2, y2] = [to.x, to.y + HEIGHT / 2]
  const bend = Math.max(40, Math.abs(x2 - x1) / 2)
  const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2 - 6]
  return (
    `  <path d="${path}" fill="none" stroke="#555" marker-end="url(#arrow)"/>\n` +
    `  <text x="${x}" y="${y}" text-anchor="middle" font-size="11" fill="#555">${escaped(label)}</text>`
  )
}

function box({ name, kind, parallelism }: GraphNode, { x, y }: Place): string {
  const fill = kind === 'spout' ? '#dbeafe' : '#f3f4f6'
  return (
    `  <rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="8" fill="${fill}" stroke="#333"/>\n` +
    `  <text x="${x + WIDTH / 2}" y="${y + HEIGHT / 2 + 5}" text-anchor="middle">${escaped(labelOf(name, parallelism))}</text>`
  )
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
