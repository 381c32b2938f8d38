import { groupedBy } from '../../../../src/embedded/handlers/grouped-by.ts'
import { placeOf, type Anomaly, type Log, type LogEntry, type Send } from './history.ts'

/** Compares what producers were told with what other clients read. */
export function checkLogs(sends: readonly Send[], logs: readonly Log[]): Anomaly[] {
  const places = groupedBy(
    logs.flatMap(({ entries }) => entries),
    ({ id }) => id,
  )
  return [
    ...logs.flatMap(disagreements),
    ...sends.flatMap((send) => outcomeAnomalies(send, places.get(send.id) ?? [], logs)),
    ...sameOffsetTwice(sends, logs),
    ...foreign(places, sends),
    ...logs.flatMap((log) => reordered(log, sends)),
  ]
}

function disagreements({ entries, readAgain }: Log): Anomaly[] {
  if (readAgain === undefined) return []
  const first = new Map(entries.map((entry) => [placeOf(entry.partition, entry.offset), entry.id]))
  const second = new Map(
    readAgain.map((entry) => [placeOf(entry.partition, entry.offset), entry.id]),
  )
  const differing = [...new Set([...first.keys(), ...second.keys()])].filter(
    (place) => first.get(place) !== second.get(place),
  )
  return differing.map((place) => ({
    kind: 'disagreement',
    text: `${place} is ${first.get(place)} for one reader and ${second.get(place)} for another`,
  }))
}

function outcomeAnomalies(
  send: Send,
  places: readonly LogEntry[],
  logs: readonly Log[],
): Anomaly[] {
  const { id, outcome, partition } = send
  const anomalies: Anomaly[] = []
  if (places.length > 1) {
    const where = places.map((entry) => placeOf(entry.partition, entry.offset)).join(', ')
    anomalies.push({ kind: 'duplicated', text: `${id} is at ${where}` })
  }
  for (const entry of places) {
    if (partition === undefined || entry.partition === partition) continue
    const text = `${id} was sent to partition ${partition} and is in ${entry.partition}`
    anomalies.push({ kind: 'misplaced', text })
  }
  if (outcome?.what === 'failed' && outcome.isCertain && places.length > 0) {
    const text = `${id} is in the log, though it failed for certain: ${outcome.error}`
    anomalies.push({ kind: 'false failure', text })
  }
  if (outcome?.what !== 'acknowledged') return anomalies
  const named = placeOf(outcome.partition, outcome.offset)
  if (places.length === 0) {
    if (!wasDeleted(outcome, logs)) {
      anomalies.push({ kind: 'lost', text: `${id} was acknowledged at ${named}` })
    }
  } else if (!places.some((entry) => isAt(entry, outcome))) {
    const where = places.map((entry) => placeOf(entry.partition, entry.offset)).join(', ')
    anomalies.push({
      kind: 'misplaced',
      text: `${id} was acknowledged at ${named}, is at ${where}`,
    })
  }
  return anomalies
}

type Acknowledgement = Extract<Send['outcome'], { what: 'acknowledged' }>

function isAt(entry: LogEntry, { partition, offset }: Acknowledgement): boolean {
  return entry.partition === partition && (offset === -1 || entry.offset === offset)
}

/** DeleteRecords removed it, or it was acknowledged by a topic that no consumer could read before it was deleted. */
function wasDeleted({ at, partition, offset }: Acknowledgement, logs: readonly Log[]): boolean {
  const log = logs.findLast(({ createdAt }) => createdAt <= at)
  return log !== undefined && offset !== -1 && offset < (log.starts.get(partition) ?? 0)
}

function sameOffsetTwice(sends: readonly Send[], logs: readonly Log[]): Anomaly[] {
  const ids = new Map<string, string>()
  const anomalies: Anomaly[] = []
  for (const { id, outcome } of sends) {
    if (outcome?.what !== 'acknowledged' || outcome.offset === -1) continue
    const log = logs.findLastIndex(({ createdAt }) => createdAt <= outcome.at)
    const place = `${log}/${placeOf(outcome.partition, outcome.offset)}`
    const other = ids.get(place)
    if (other !== undefined && other !== id) {
      const text = `${other} and ${id} were both acknowledged at ${place}`
      anomalies.push({ kind: 'misplaced', text })
    }
    ids.set(place, id)
  }
  return anomalies
}

function foreign(places: ReadonlyMap<string, unknown>, sends: readonly Send[]): Anomaly[] {
  const sent = new Set(sends.map(({ id }) => id))
  return [...places.keys()]
    .filter((id) => !sent.has(id))
    .map((id) => ({ kind: 'foreign', text: `no producer sent ${id}` }))
}

/** By the first copy of each message, so that a duplicate alone is no reordering. */
function reordered({ entries }: Log, sends: readonly Send[]): Anomaly[] {
  const byId = new Map(sends.map((send) => [send.id, send]))
  const latest = new Map<string, Send>()
  const seen = new Set<string>()
  const anomalies: Anomaly[] = []
  const inOrder = entries.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
  for (const { partition, offset, id } of inOrder) {
    const send = byId.get(id)
    if (send === undefined || seen.has(id)) continue
    seen.add(id)
    const lane = `${send.producer} ${send.lane} ${partition}`
    const before = latest.get(lane)
    if (before !== undefined && before.sequence > send.sequence) {
      const text = `${id} at ${placeOf(partition, offset)} comes after ${before.id}`
      anomalies.push({ kind: 'reordered', text })
    } else latest.set(lane, send)
  }
  return anomalies
}
