import { dot, FAINT, line, OTHERS, OWN, polyline, svg, text } from './svg.ts'
import { inFigures } from './text.ts'

export interface Curve {
  readonly label: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const WIDTH = 760
const HEIGHT = 340
const LEFT = 80
const RIGHT = 150
const TOP = 44
const BOTTOM = 48
const LINES = 4

/** A curve a client. Across: a logarithmic scale; up: from 0. */
export function curveChart(
  title: string,
  over: string,
  unit: string,
  curves: readonly Curve[],
): string {
  const all = curves.flatMap(({ points }) => points)
  const xs = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b)
  const most = Math.max(...all.map(({ y }) => y))
  const [first, last] = [Math.log(xs[0]!), Math.log(xs.at(-1)!)]
  const across = (x: number) =>
    LEFT + ((Math.log(x) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT)
  const up = (y: number) => HEIGHT - BOTTOM - (y / most) * (HEIGHT - TOP - BOTTOM)
  const grid = Array.from({ length: LINES + 1 }, (_, index) => (most * index) / LINES).flatMap(
    (value) => [
      line(LEFT, up(value), WIDTH - RIGHT, up(value), FAINT),
      text(LEFT - 8, up(value), value === 0 ? '0' : inFigures(value), { anchor: 'end' }),
    ],
  )
  const scale = xs.map((x) =>
    text(across(x), HEIGHT - BOTTOM + 16, x.toLocaleString('en'), { anchor: 'middle' }),
  )
  const drawn = curves.flatMap(({ label, points }, index) => {
    const colour = label === 'samsa' ? OWN : OTHERS[index % OTHERS.length]!
    const placed = points.map(({ x, y }) => [across(x), up(y)] as const)
    return [polyline(placed, colour), ...placed.map(([x, y]) => dot(x, y, colour))]
  })
  return svg(WIDTH, HEIGHT, title, [
    text(12, 18, `${title} (${unit})`, { weight: 'bold' }),
    ...grid,
    ...scale,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, over, { anchor: 'middle' }),
    ...drawn,
    ...legend(curves, up),
  ])
}

/** Names at the ends of the curves, moved apart where they would overlap. */
function legend(curves: readonly Curve[], up: (y: number) => number): string[] {
  const ends = curves
    .map(({ label, points }, index) => ({ label, index, y: up(points.at(-1)?.y ?? 0) }))
    .sort((a, b) => a.y - b.y)
  let lowest = -Infinity
  return ends.map(({ label, index, y }) => {
    lowest = Math.max(y, lowest + 16)
    const fill = label === 'samsa' ? OWN : OTHERS[index % OTHERS.length]!
    const weight = label === 'samsa' ? 'bold' : 'normal'
    return text(WIDTH - RIGHT + 10, lowest, label, { fill, weight })
  })
}
