import { afterEach, describe, expect, it } from '@jest/globals'
import { forcePureCodecs } from '../../../protocol/compression/index.ts'
import { nativeLz4, nativeSnappy } from '../../../protocol/compression/native.ts'

afterEach(() => forcePureCodecs(false))

describe('optional native libraries', () => {
  it('are not used where pure codecs are forced', () => {
    forcePureCodecs(true)
    expect(nativeLz4()).toBeUndefined()
    expect(nativeSnappy()).toBeUndefined()
  })

  it('work where they are installed, and are passed over where they are not', () => {
    const block = Buffer.from([40, 0, 0, 0, 0x1f, 0x61, 1, 0, 10, 0x50, ...Buffer.from('bcdef')])
    const inflated = nativeLz4()?.uncompressSync(block).toString()
    expect([undefined, `${'a'.repeat(30)}bcdef`]).toContain(inflated)
    const data = Buffer.from('abc'.repeat(100))
    const options = { copyOutputData: true }
    const native = nativeSnappy()
    const back = native?.uncompressSync(native.compressSync(data, options), options).toString()
    expect([undefined, data.toString()]).toContain(back)
  })
})
