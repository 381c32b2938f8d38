import type { Command } from 'commander'
import { declare } from '../command.ts'
import { UsageError } from '../failure.ts'
import type { Session } from '../session.ts'
import { didYouMean } from '../similar.ts'

/** Adds `samsa errors`. */
export function errorsCommand(samsa: Command): void {
  declare(samsa, {
    name: 'errors [error...]',
    summary: "explain Kafka's error codes, by number or by name",
    has: ['output'],
    examples: ['samsa errors', 'samsa errors 6', 'samsa errors NOT_LEADER_OR_FOLLOWER --json'],
    run: explainErrors,
  })
}

async function explainErrors(session: Session, wanted: readonly string[]): Promise<void> {
  const { describeError, ErrorCode } = await import('../../../protocol/index.ts')
  const all = Object.values(ErrorCode)
    .sort((a, b) => a - b)
    .map((code) => describeError(code))
  const errors =
    wanted.length === 0
      ? all
      : wanted.map((text) => {
          const found = all.find(
            ({ code, name }) => String(code) === text || name === text.toUpperCase(),
          )
          if (found !== undefined) return found
          const names = all.map(({ name }) => name)
          throw new UsageError(`Kafka has no error '${text}'${didYouMean(text, names)}`)
        })
  session.print(
    errors,
    [
      { title: 'CODE', align: 'right', of: ({ code }) => String(code) },
      { title: 'NAME', of: ({ name }) => name },
      { title: 'RETRIABLE', of: ({ retriable }) => (retriable ? 'yes' : 'no') },
      { title: 'MEANING', of: ({ meaning }) => meaning },
    ],
    errors,
  )
}
