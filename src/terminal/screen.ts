import { fit } from './width.ts'

const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l'
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

/** What is drawn on: `process.stdout` where it is a terminal. */
export interface ScreenOutput {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

/**
 * A view that fills the terminal and is drawn again and again, on the alternate screen, so that what was on the
 * terminal before is there afterwards. Dispose of it in all cases: it hides the cursor.
 */
export class Screen implements Disposable {
  readonly #output: ScreenOutput
  readonly #onResize = (): void => this.#draw()
  #lines: readonly string[] = []

  constructor(output: ScreenOutput) {
    this.#output = output
    output.write(ENTER_SCREEN)
    output.on('resize', this.#onResize)
  }

  get width(): number {
    return this.#output.columns ?? 80
  }

  /** Replaces what is shown. Lines that are too long are cut, and so are lines below the last row. */
  show(text: string): void {
    this.#lines = text.split('\n')
    this.#draw()
  }

  [Symbol.dispose](): void {
    this.#output.off('resize', this.#onResize)
    this.#output.write(LEAVE_SCREEN)
  }

  #draw(): void {
    const rows = this.#output.rows ?? 24
    const shown = this.#lines.slice(0, rows).map((line) => fit(line, this.width) + CLEAR_LINE)
    this.#output.write(HOME + shown.join('\r\n') + CLEAR_BELOW)
  }
}
