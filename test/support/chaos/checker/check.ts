/** A checker modelled on Jepsen's of Kafka (jepsen.tests.kafka): pure functions over the history of a run. */
import { checkDeliveries } from './delivery-checks.ts'
import { figuresOf, type Figures } from './figures.ts'
import { checkGroups } from './group-checks.ts'
import type { Anomaly, History } from './history.ts'
import { checkLogs } from './log-checks.ts'

export interface Verdict {
  readonly anomalies: readonly Anomaly[]
  readonly figures: Figures
}

export function check(history: History): Verdict {
  const { sends, consumers, commits, logs } = history
  const anomalies = [
    ...checkLogs(sends, logs),
    ...checkDeliveries(consumers, logs),
    ...checkGroups(consumers, commits, logs),
  ]
  return { anomalies, figures: figuresOf(history, anomalies) }
}
