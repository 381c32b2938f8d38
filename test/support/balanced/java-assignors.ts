import type { AssignorName } from '../../../src/index.ts'

/** The built-in assignors that Java has too, with its classes. Tests with Java iterate over it. */
export const JAVA_ASSIGNORS = {
  range: 'RangeAssignor',
  roundrobin: 'RoundRobinAssignor',
  sticky: 'StickyAssignor',
  'cooperative-sticky': 'CooperativeStickyAssignor',
} as const satisfies Partial<Record<AssignorName, string>>

export type JavaAssignorName = keyof typeof JAVA_ASSIGNORS

export const JAVA_ASSIGNOR_NAMES = Object.keys(JAVA_ASSIGNORS) as readonly JavaAssignorName[]
