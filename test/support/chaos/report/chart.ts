import { line, OTHERS, OWN, rect, svg, text } from '../../../../benchmarks/report/svg.ts'
import type { KeptResult } from './results.ts'

const WIDTH = 760
const LABELS = 230
const FIGURES = 60
const TOP = 64
const BAR = 12
const ROW = 2 * BAR + 12

interface Pair {
  readonly label: string
  readonly samsa: number
  readonly java: number
}

/** How long the partitions that a fault hit the most stood still: the mean of the faults of a kind, for both clients. */
export function recoveryChart(results: readonly KeptResult[]): string {
  const pairs = pairsOf(results)
  const most = Math.max(1, ...pairs.flatMap(({ samsa, java }) => [samsa, java]))
  const room = WIDTH - LABELS - FIGURES
  const title = 'Seconds until a partition goes on after a fault, less is better'
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

function pairsOf(results: readonly KeptResult[]): readonly Pair[] {
  const sums = new Map<string, { samsa: number; java: number; count: number }>()
  for (const { version, injected } of results) {
    for (const { name, samsa, java } of injected) {
      if (samsa === undefined || java === undefined) continue
      for (const [what, key] of [
        ['produce', 'produceMs'],
        ['consume', 'consumeMs'],
      ] as const) {
        const label = `${name}, ${version}: ${what}`
        const sum = sums.get(label) ?? { samsa: 0, java: 0, count: 0 }
        sums.set(label, {
          samsa: sum.samsa + samsa[key],
          java: sum.java + java[key],
          count: sum.count + 1,
        })
      }
    }
  }
  return [...sums].map(([label, { samsa, java, count }]) => ({
    label,
    samsa: samsa / count,
    java: java / count,
  }))
}
