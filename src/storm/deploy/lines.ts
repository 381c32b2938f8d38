/** Splits text that arrives in pieces into lines. */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  /** Returns only the last lines of a text. */
  last(text: string, count: number): void {
    const lines = text.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of count === 0 ? [] : lines.slice(-count)) this.#onLine(line)
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line)
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest)
    this.#rest = ''
  }
}

/** Calls back for each line of a stream of UTF-8, such as the output of a process. */
export function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  const lines = new LineSplitter(onLine)
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => lines.take(chunk))
  stream.on('end', () => lines.end())
}
