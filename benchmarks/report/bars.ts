import type { Spread } from '../runner/statistics.ts'
import { INK, line, OTHERS, OWN, rect, svg, text } from './svg.ts'
import { inFigures } from './text.ts'

export interface Bar {
  readonly label: string
  readonly value: Spread
}

const WIDTH = 760
const LABELS = 150
const FIGURES = 90
const TOP = 44
const ROW = 26

/** A bar a client, samsa's in its own colour, with a line from the lowest to the highest round. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value.median * (1 + value.spread)))
  const room = WIDTH - LABELS - FIGURES
  const lengthOf = (value: number) => (value / most) * room
  const rows = bars.flatMap(({ label, value: { median, spread } }, index) => {
    const y = TOP + index * ROW
    const middle = y + ROW / 2 - 3
    const isOwn = label === 'samsa'
    const [low, high] = [1 - spread, 1 + spread].map((share) => LABELS + lengthOf(median * share))
    return [
      text(LABELS - 8, middle, label, { anchor: 'end', weight: isOwn ? 'bold' : 'normal' }),
      rect(LABELS, y, lengthOf(median), ROW - 6, isOwn ? OWN : OTHERS[0]!),
      line(Math.max(LABELS, low!), middle, high!, middle, INK),
      text(high! + 6, middle, inFigures(median), { weight: isOwn ? 'bold' : 'normal' }),
    ]
  })
  const head = [text(12, 18, `${title} (${unit})`, { weight: 'bold' })]
  return svg(WIDTH, TOP + bars.length * ROW + 8, title, [...head, ...rows])
}
