import type { Case } from './question.ts'
import type { Contender } from './contests.ts'

export function guessMs(asked: Case, _contender: Contender): number {
  return asked.limitMs + 2000
}
