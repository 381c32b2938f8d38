import { access } from './access.ts'
import { cluster, throttledMove } from './cluster.ts'
import { groups, groupsAndSettings } from './groups.ts'
import { login } from './login.ts'
import { messages } from './messages.ts'
import type { ToolComparison } from './tool-comparison.ts'
import { topics } from './topics.ts'
import { accessAndTransactions, transactionsAndVerifiablePrograms } from './transactions.ts'

export const COMPARISONS: readonly ToolComparison[] = [
  topics,
  messages,
  groups,
  access,
  cluster,
  groupsAndSettings,
  accessAndTransactions,
  throttledMove,
  transactionsAndVerifiablePrograms,
  login,
]
