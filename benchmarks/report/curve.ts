import { dot, FAINT, line, OTHERS, OWN, polyline, svg, text } from './svg.ts'

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
/** Between two names. */
const NAME = 16

/** A curve a client. Both scales are logarithmic: clients are far apart, and equal growth has an equal slope. */
export function curveChart(
  title: string,
  over: string,
  unit: string,
  curves: readonly Curve[],
): string {
  const all = curves.flatMap(({ points }) => points)
  const xs = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b)
  const [lowest, highest] = decadesAround(all.map(({ y }) => y))
  const [first, last] = [Math.log(xs[0]!), Math.log(xs.at(-1)!)]
  const across = (x: number) =>
    LEFT + ((Math.log(x) - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT)
  const up = (y: number) =>
    HEIGHT - BOTTOM - ((Math.log10(y) - lowest) / (highest - lowest)) * (HEIGHT - TOP - BOTTOM)
  const decades = Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index))
  const grid = decades.flatMap((value) => [
    line(LEFT, up(value), WIDTH - RIGHT, up(value), FAINT),
    text(LEFT - 8, up(value), labelOf(value), {
      anchor: 'end',
    }),
  ])
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

/** 0.01, 1,000: whole powers of ten. */
function labelOf(power: number): string {
  return power.toLocaleString('en', { maximumSignificantDigits: 1 })
}

/** The powers of ten that all values lie between, at least one apart. */
function decadesAround(values: readonly number[]): readonly [number, number] {
  const logarithms = values.filter((value) => value > 0).map(Math.log10)
  if (logarithms.length === 0) return [0, 1]
  const lowest = Math.floor(Math.min(...logarithms))
  return [lowest, Math.max(lowest + 1, Math.ceil(Math.max(...logarithms)))]
}

/** Names at the ends of the curves, moved apart where they would overlap, and up where there is no room below. */
function legend(curves: readonly Curve[], up: (y: number) => number): string[] {
  const ends = curves
    .flatMap(({ label, points }, index) => {
      const last = points.at(-1)
      return last === undefined ? [] : [{ label, index, y: up(last.y) }]
    })
    .sort((a, b) => a.y - b.y)
  let previous = -Infinity
  return ends.map(({ label, index, y }, at) => {
    const lowest = HEIGHT - BOTTOM - (ends.length - 1 - at) * NAME
    previous = Math.max(previous + NAME, Math.min(y, lowest))
    const fill = label === 'samsa' ? OWN : OTHERS[index % OTHERS.length]!
    const weight = label === 'samsa' ? 'bold' : 'normal'
    return text(WIDTH - RIGHT + 10, previous, label, { fill, weight })
  })
}
