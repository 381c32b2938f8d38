import { fit, textWidth } from './width.ts'

const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l'
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
/** Colours, as `style.ts` writes them: they take no columns. */
const STYLES = /\p{Cc}\[[\d;]*m/gu

/** What is drawn on: `process.stdout` where it is a terminal. */
export interface ScreenOutput {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

/** Makes the text for a width. */
export type Drawing = (width: number) => string

/**
 * A view that fills the terminal and is drawn again and again, on the alternate screen, so that what was on the
 * terminal before is there afterwards. Dispose of it in all cases: it hides the cursor. Where the process exits
 * before that, because something was thrown elsewhere, the terminal is restored, too.
 */
export class Screen implements Disposable {
  readonly #output: ScreenOutput
  readonly #onResize = (): void => this.#draw()
  readonly #onExit = (): void => void this.#output.write(LEAVE_SCREEN)
  #drawing: Drawing = () => ''

  constructor(output: ScreenOutput) {
    this.#output = output
    process.on('exit', this.#onExit)
    output.write(ENTER_SCREEN)
    output.on('resize', this.#onResize)
  }

  /**
   * Replaces what is shown, which is drawn again for the new width when the terminal is resized. Lines that are too
   * long are cut, and so are lines below the last row.
   */
  show(drawing: Drawing): void {
    this.#drawing = drawing
    this.#draw()
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#onExit)
    this.#output.off('resize', this.#onResize)
    this.#output.write(LEAVE_SCREEN)
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = this.#output
    const lines = this.#drawing(columns).split('\n').slice(0, rows)
    const shown = lines.map((line) => fitStyled(line, columns) + CLEAR_LINE)
    this.#output.write(HOME + shown.join('\r\n') + CLEAR_BELOW)
  }
}

/** A line that must be cut loses its colours, of which the end could be cut off. */
function fitStyled(line: string, width: number): string {
  const plain = line.replaceAll(STYLES, '')
  return textWidth(plain) <= width ? line : fit(plain, width)
}
