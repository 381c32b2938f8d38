import { PATIENCE_MS } from '../patience.ts'
import type { Bench } from './bench.ts'
import { runChild, type ChildReport } from './child.ts'

/** What an idle client costs, in a process of its own: see idle.ts. */
export async function idleCost(
  bench: Bench,
  warmUpMs: number,
  measureMs: number,
): Promise<ChildReport> {
  const args = [bench.kafka.hosts, await bench.topic(), ...[warmUpMs, measureMs].map(String)]
  return runChild('idle.ts', args, PATIENCE_MS)
}
