import type { Column } from '../terminal/table.ts'

/** The table with the results of a change for each partition. */
export const PARTITION_RESULTS: readonly Column<{
  readonly topic: string
  readonly partition: number
  readonly error?: { readonly code: string }
}>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
  { title: 'RESULT', of: ({ error }) => error?.code ?? 'committed' },
]
