import { Bolt, stream, type Tuple } from 'samsa/storm'

export interface Click {
  readonly user: string
  readonly url: string
  /** Milliseconds since 1970. */
  readonly at: number
}

const outputs = {
  default: stream<Click>('user', 'url', 'at'),
  bad: stream<{ value: string | null; reason: string }>('value', 'reason'),
}

/** Parses clicks from JSON. Messages that are not clicks go to the stream `bad`: to fail it would only bring it back. */
export class Parse extends Bolt<{ value: string | null }, typeof outputs> {
  static readonly outputs = outputs

  override process({ fields: { value } }: Tuple<{ value: string | null }>) {
    const click = parsed(value)
    if (typeof click === 'string') this.emit({ value, reason: click }, { stream: 'bad' })
    else this.emit([click.user, click.url, click.at])
  }
}

/** A click, or what is wrong with it. */
export function parsed(value: string | null): Click | string {
  let read: unknown
  try {
    read = JSON.parse(value ?? '')
  } catch {
    return 'no JSON'
  }
  if (typeof read !== 'object' || read === null) return 'no object'
  const { user, url, at } = read as Partial<Click>
  if (typeof user !== 'string' || user === '') return 'no user'
  if (typeof url !== 'string') return 'no url'
  if (typeof at !== 'number' || !Number.isFinite(at)) return 'no time'
  return { user, url, at }
}
