import { Bolt, stream, type Tuple } from 'samsa/storm'

const words = { default: stream<{ word: string }>('word') }

/** Emits each word of a tuple. */
export class Split extends Bolt<{ value: string | null }, typeof words> {
  static readonly outputs = words

  override process({ fields: { value } }: Tuple<{ value: string | null }>) {
    const found = value?.toLowerCase().match(/\w+/g) ?? []
    for (const word of found) this.emit({ word })
  }
}
