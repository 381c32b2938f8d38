import type { Answers, Place, Referee } from '../support/referee.ts'
import { runTool } from './java.ts'

const COUNT = '20'

/** The clients that Kafka's own system tests are made with: they report each record and each rebalance. */
export const VERIFIABLE_CLIENTS: Referee = {
  name: 'VerifiableProducer and VerifiableConsumer',
  needs: ['java'],
  since: '2.8',
  topics: { verified: 1 },
  async ask({ hosts }: Place): Promise<Answers> {
    const common = ['--bootstrap-server', hosts, '--topic', 'verified', '--max-messages', COUNT]
    const producing = ['--throughput', '1000', '--acks', '-1', '--value-prefix', '7']
    const produced = await runTool('VerifiableProducer', [...common, ...producing])
    const consuming = ['--group-id', 'verified', '--reset-policy', 'earliest', '--verbose']
    const consumed = await runTool('VerifiableConsumer', [...common, ...consuming])
    return new Map([...byKind('produced', produced), ...byKind('consumed', consumed)])
  },
  unlike: [[/"avg_throughput":[\d.]+/, '"avg_throughput":<n>']],
}

/** Each line tells what kind it is of. Threads of their own print them: only those of a kind are in order. */
function byKind(client: string, text: string): Answers {
  const kinds = new Map<string, string>()
  for (const line of text.split('\n').filter(Boolean)) {
    const kind = /"name":"(\w+)"/.exec(line)?.[1] ?? 'unknown'
    kinds.set(`${client}, ${kind}`, `${kinds.get(`${client}, ${kind}`) ?? ''}${line}\n`)
  }
  return kinds
}
