import { count } from './format.ts'
import type { Group } from './group.ts'
import type { Ledger } from './ledger.ts'
import type { MemberProcess } from './member-process.ts'
import { Rate } from './rate.ts'
import type { Picture } from './screen.ts'

/** A terminal of 24 rows has room for this many. */
const MOST_PARTITIONS = 12
const BAR_WIDTH = 16

/** The owners of the partitions, the rates, and the lag. */
export function groupPicture(group: Group, ledger: Ledger): Picture {
  const startedAt = performance.now()
  const sentRate = new Rate()

  const memberRow = ({ name, pid, state, partitions, readCount, rate }: MemberProcess) =>
    `  ${name}  pid ${String(pid).padEnd(8)}${state.padEnd(8)} read${count(readCount, 9)}` +
    `${count(rate.perSecond(readCount), 7)}/s  ${partitions.join(' ')}`

  const partitionRow = (partition: number) => {
    const [sent, lag] = [ledger.sent(partition).length, ledger.lag(partition)]
    return (
      `  partition ${String(partition).padStart(2)}   ${ownerOf(group, partition)}   ` +
      `sent${count(sent, 8)}   lag${count(lag, 7)}   ${bar(sent - lag, sent)}`
    )
  }

  const rows = () => {
    const total = ledger.totalSent
    const left = ledger.partitions.length - MOST_PARTITIONS
    return [
      '',
      `  sent ${count(total)} messages, ${count(sentRate.perSecond(total))}/s; ` +
        `to be read: ${count(ledger.totalLag)}`,
      ...group.members.map(memberRow),
      ...ledger.partitions.slice(0, MOST_PARTITIONS).map(partitionRow),
      ...(left > 0 ? [`  and ${left} more`] : []),
    ]
  }

  const line = () => {
    const total = ledger.totalSent
    const members = group.members.map(({ name, state, partitions, readCount, rate }) => {
      const perSecond = rate.perSecond(readCount)
      return state === 'reading'
        ? `${name} [${partitions.join(' ')}] ${count(perSecond)}/s`
        : `${name} ${state}`
    })
    return (
      `${((performance.now() - startedAt) / 1000).toFixed(0).padStart(3)} s  sent ${count(total)} ` +
      `${count(sentRate.perSecond(total))}/s  lag ${count(ledger.totalLag)}  ${members.join('  ')}`
    )
  }
  return { rows, line }
}

function ownerOf(group: Group, partition: number): string {
  const names = group.ownersOf(partition).map(({ name }) => name)
  return names.length === 0 ? '–' : names.join('')
}

/** The part of the sent messages that has been read. */
function bar(part: number, whole: number): string {
  const filled = whole === 0 ? 0 : Math.floor((part / whole) * BAR_WIDTH)
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
}
