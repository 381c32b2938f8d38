import type { Question } from '../runner/question.ts'
import { consume } from './consume.ts'
import { produce } from './produce.ts'

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [produce, consume]
