import { describeUnlessMissing } from '../real-brokers.ts'
import { missingForStorm } from './local-storm.ts'

/** A `describe` for tests that need Apache Storm: skipped with the reason where it cannot run; with CI=true they fail. */
export function describeWithStorm(name: string, define: () => void): void {
  describeUnlessMissing(name, missingForStorm(), define)
}
