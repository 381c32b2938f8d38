import { caseOf, type Question } from '../runner/question.ts'

const SIZES = [100, 1_024]
const MODES = [
  ['implicit', 'accepted by the request for more'],
  ['explicit', 'each accepted by a call'],
] as const

export const share: Question = {
  name: 'share',
  title: 'Share groups',
  about:
    'One member of a new share group reads a topic from its beginning, touches every value, and accepts every message (KIP-932): by its request for more messages, or by a call for each. The time runs from the first message on.',
  clients: ['samsa', 'java'],
  cases: (scale) =>
    SIZES.flatMap((valueBytes) =>
      MODES.map(([mode, how]) =>
        caseOf(scale, `${valueBytes} bytes, ${how}`, {
          task: 'share',
          mode,
          valueBytes,
          messages: Math.min(scale.messages, 600_000),
        }),
      ),
    ),
}
