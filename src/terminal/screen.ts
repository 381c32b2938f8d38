import { fit, textWidth } from './width.ts'

const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l'
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
/** Colours in the form of `style.ts`: they take no columns. */
const STYLES = /\p{Cc}\[[\d;]*m/gu

/** The output of the screen: `process.stdout` if it is a terminal. */
export interface ScreenOutput {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

/** Creates the text for a width. */
export type Drawing = (width: number) => string

/**
 * A view that fills the terminal and is redrawn repeatedly, on the alternate screen, so that the
 * previous content of the terminal appears again afterwards. Always dispose of it, because it hides
 * the cursor. If the process exits before that, for example because of an uncaught error, the
 * terminal is restored, too.
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
   * Replaces the content, which is redrawn for the new width when the terminal is resized. Lines
   * that are too long are truncated; lines below the last row are left out.
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

/** A truncated line loses its colours, because their end sequences could be cut off. */
function fitStyled(line: string, width: number): string {
  const plain = line.replaceAll(STYLES, '')
  return textWidth(plain) <= width ? line : fit(plain, width)
}
