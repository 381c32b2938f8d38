import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { PromptInterruptedError } from './failure.ts'

const ENTER = new Set(['\r', '\n', '\x04'])
const CTRL_C = '\x03'
const DELETE = new Set(['\x7f', '\b'])

/** A terminal for prompts: `process.stdin` if its `isTTY` is true. */
export interface TerminalInput extends Readable {
  readonly isTTY?: boolean
  setRawMode?(isRaw: boolean): unknown
}

/** Asks for a line. Resolves with undefined at the end of the input. Throws PromptInterruptedError. */
export async function askLine(
  question: string,
  input: TerminalInput,
  output: Writable,
): Promise<string | undefined> {
  const lines = createInterface({ input, output, terminal: input.isTTY === true })
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      lines.on('SIGINT', () => reject(new PromptInterruptedError('interrupted')))
      lines.on('close', () => resolve(undefined))
      lines.question(question, resolve)
    })
  } finally {
    lines.close()
  }
}

/** Asks for a secret without showing the input. Throws PromptInterruptedError. */
export async function askSecret(
  question: string,
  input: TerminalInput,
  output: Writable,
): Promise<string> {
  // Before the question is printed, because input that is typed immediately must not be shown.
  input.setRawMode?.(true)
  output.write(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      let secret = ''
      const onData = (chunk: Buffer | string): void => {
        for (const character of chunk.toString()) {
          if (character === CTRL_C || ENTER.has(character)) {
            end(character === CTRL_C ? new PromptInterruptedError('interrupted') : undefined)
            return
          }
          if (DELETE.has(character)) secret = Array.from(secret).slice(0, -1).join('')
          else secret += character
        }
      }
      const onEnd = (): void => end()
      const end = (error?: Error): void => {
        input.off('data', onData)
        input.off('end', onEnd)
        input.pause()
        if (error === undefined) resolve(secret)
        else reject(error)
      }
      input.on('data', onData)
      input.on('end', onEnd)
    })
  } finally {
    input.setRawMode?.(false)
    output.write('\n')
  }
}
