/**
 * The common parts of `lag --watch` and `top`: a screen that is redrawn periodically, and the
 * history of measurements.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { GroupLag } from '../index.ts'
import { Screen, type Drawing } from '../terminal/screen.ts'
import { sparkline } from '../terminal/sparkline.ts'
import type { Styler } from '../terminal/style.ts'
import { renderTable, type Column } from '../terminal/table.ts'
import { visibleText } from '../terminal/visible.ts'
import { messageOf } from './failure.ts'
import type { Session } from './session.ts'
import { durationText } from './text.ts'

/** How many measurements a sparkline shows. */
const HISTORY = 30
/** The number of measurements that fit in a line of 80 columns with the other columns. */
const WIDE_SPARKLINE = 30
const NARROW_SPARKLINE = 10

/**
 * Redraws until Ctrl-C. If a measurement fails, the error is shown in its place, and the next one
 * is still made, because such a view is most useful while a cluster has problems.
 */
export async function live(
  session: Session,
  intervalMs: number,
  measure: () => Promise<Drawing>,
): Promise<void> {
  const { signal } = session.interrupt
  using screen = new Screen(process.stdout)
  let last: Drawing = () => ''
  while (!signal.aborted) {
    try {
      last = await measure()
      screen.show(last)
    } catch (error) {
      // Ctrl-C also aborts the calls in progress.
      if (isAborted(signal)) break
      const text = messageOf(error)
      const before = last
      screen.show((width) => `${visibleText(text)}\n\n${before(width)}`)
    }
    await delay(intervalMs, undefined, { signal }).catch(() => undefined)
  }
  session.interrupt.succeedAfterCtrlC()
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

export function clock(): string {
  return new Date().toTimeString().slice(0, 8)
}

interface Sample {
  readonly at: number
  readonly value: number
}

/** The rate at which a number grows, over the stored measurements. */
export class Rate {
  readonly #samples: Sample[] = []
  readonly #rates: number[] = []

  add(value: number): void {
    const last = this.#samples.at(-1)
    const at = performance.now()
    if (last !== undefined && at > last.at) {
      this.#rates.push(Math.max(0, ((value - last.value) * 1000) / (at - last.at)))
    }
    this.#samples.push({ at, value })
    if (this.#samples.length > HISTORY) this.#samples.shift()
    if (this.#rates.length > HISTORY) this.#rates.shift()
  }

  /** Per second; undefined after one measurement. */
  get current(): number | undefined {
    return this.#rates.at(-1)
  }

  /** The last `width` rates, as a line of bars. */
  sparkline(width: number): string {
    return sparkline(this.#rates.slice(-width))
  }
}

export function rateText(rate: number | undefined): string {
  if (rate === undefined) return ''
  if (rate < 10) return rate.toFixed(1)
  return Math.round(rate).toLocaleString('en')
}

export function sparklineWidth(width: number): number {
  return width >= 100 ? WIDE_SPARKLINE : NARROW_SPARKLINE
}

interface History {
  readonly lags: (number | undefined)[]
  readonly in: Rate
  readonly out: Rate
  ageMs: number | undefined
}

/** The history of the measurements of groups. */
export class Histories {
  readonly #groups = new Map<string, History>()

  remember(groups: readonly GroupLag[], ages: ReadonlyMap<string, number>): void {
    const names = new Set(groups.map(({ group }) => group))
    for (const name of this.#groups.keys()) if (!names.has(name)) this.#groups.delete(name)
    for (const { group, lag, partitions } of groups) {
      let history = this.#groups.get(group)
      if (history === undefined) {
        history = { lags: [], in: new Rate(), out: new Rate(), ageMs: undefined }
        this.#groups.set(group, history)
      }
      history.lags.push(lag)
      if (history.lags.length > HISTORY) history.lags.shift()
      history.in.add(partitions.reduce((sum, { endOffset = 0 }) => sum + endOffset, 0))
      history.out.add(partitions.reduce((sum, { offset = 0 }) => sum + offset, 0))
      history.ageMs = ages.get(group)
    }
  }

  table(groups: readonly GroupLag[], width: number, style: Styler): string {
    const of = ({ group }: GroupLag): History => this.#groups.get(group)!
    const trend = sparklineWidth(width)
    const columns: Column<GroupLag>[] = [
      { title: 'GROUP', of: ({ group }) => group },
      { title: 'STATE', of: ({ state }) => state },
      {
        title: 'LAG',
        align: 'right',
        of: ({ lag }) => (lag === undefined ? '?' : lag.toLocaleString('en')),
      },
      {
        title: 'BEHIND',
        align: 'right',
        of: (group) => {
          const { ageMs } = of(group)
          return ageMs === undefined ? '?' : durationText(ageMs)
        },
      },
      { title: 'IN/S', align: 'right', of: (group) => rateText(of(group).in.current) },
      { title: 'OUT/S', align: 'right', of: (group) => rateText(of(group).out.current) },
      { title: 'TREND', align: 'right', of: (group) => sparkline(of(group).lags.slice(-trend)) },
    ]
    // On a narrow terminal, the least informative columns are left out first.
    const leaveOut = width < 60 ? ['STATE', 'IN/S', 'OUT/S', 'TREND'] : width < 80 ? ['STATE'] : []
    return liveTable(columns, leaveOut, groups, width, style)
  }
}

/** A table with a bold header, without the omitted columns. */
export function liveTable<Row>(
  columns: readonly Column<Row>[],
  leaveOut: readonly string[],
  rows: readonly Row[],
  width: number,
  style: Styler,
): string {
  const shown = columns.filter(({ title }) => !leaveOut.includes(title))
  const [head, ...lines] = renderTable(shown, rows, width).split('\n')
  return [style('bold', head ?? ''), ...lines].join('\n')
}
