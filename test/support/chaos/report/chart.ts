import { line, OTHERS, OWN, rect, svg, text } from '../../../../benchmarks/report/svg.ts'
import { comparedRecoveries, median } from './recoveries.ts'
import type { KeptResult } from './results.ts'

const WIDTH = 760
const LABELS = 230
const FIGURES = 60
const TOP = 64
const BAR = 12
const ROW = 2 * BAR + 12

/** How long the partitions that a fault hit the most stood still: the median of the faults of a kind, for both clients. */
export function recoveryChart(results: readonly KeptResult[]): string {
  const pairs = comparedRecoveries(results).map(({ fault, version, what, samsa, java }) => ({
    label: `${fault}, ${version}: ${what}`,
    samsa: median(samsa),
    java: median(java),
  }))
  const most = Math.max(1, ...pairs.flatMap(({ samsa, java }) => [samsa, java]))
  const room = WIDTH - LABELS - FIGURES
  const title = 'Seconds until a partition continues after a fault (median), less is better'
  const rows = pairs.flatMap(({ label, samsa, java }, index) => {
    const y = TOP + index * ROW
    return [
      text(LABELS - 8, y + BAR, label, { anchor: 'end' }),
      ...bar(samsa, y, OWN),
      ...bar(java, y + BAR + 1, OTHERS[0]!),
    ]
  })
  function bar(ms: number, y: number, fill: string): string[] {
    const length = (ms / most) * room
    const label = (ms / 1_000).toFixed(1)
    return [rect(LABELS, y, length, BAR, fill), text(LABELS + length + 6, y + BAR / 2, label)]
  }
  const head = [
    text(12, 18, title, { weight: 'bold' }),
    rect(LABELS, 32, BAR, BAR, OWN),
    text(LABELS + 18, 38, 'samsa'),
    rect(LABELS + 80, 32, BAR, BAR, OTHERS[0]!),
    text(LABELS + 98, 38, 'Java client'),
    line(LABELS, TOP - 6, LABELS, TOP + pairs.length * ROW),
  ]
  return svg(WIDTH, TOP + pairs.length * ROW + 8, title, [...head, ...rows])
}
