import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codecOf } from '../../../protocol/compression/index.ts'
import {
  findNatives,
  forcePureCodecs,
  NATIVE_VERSIONS,
  nativeLz4,
  nativeSnappy,
} from '../../../protocol/compression/native.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'
import { jsonLines } from './samples.ts'

const SWITCH = 'SAMSA_NATIVE_CODECS'
const DATA = jsonLines(200_000)
/** Both libraries at once: copies what it is given, as a codec that does not compress. */
const WORKING = `
  exports.compressSync = (data) => data
  exports.uncompressSync = (data) => data[0] === 12 ? data.subarray(5) : data`
const LYING = `
  exports.compressSync = (data) => data
  exports.uncompressSync = () => Buffer.from('something else')`

/** What is found of a library with this version and this code. */
function foundOf(name: 'snappy' | 'lz4-napi', version: string, code: string): boolean {
  using folder = new TemporaryFolder()
  const library = join(folder.path, 'node_modules', name)
  mkdirSync(join(library, 'lib'), { recursive: true })
  writeFileSync(join(library, 'package.json'), JSON.stringify({ name, version, main: 'lib/a.js' }))
  writeFileSync(join(library, 'lib', 'a.js'), code)
  const { lz4, snappy } = findNatives(join(folder.path, 'main.js'))
  return (name === 'snappy' ? snappy : lz4) !== undefined
}

afterEach(() => {
  forcePureCodecs(false)
  Reflect.deleteProperty(process.env, SWITCH)
})

describe('optional native libraries', () => {
  beforeAll(() => {
    const missing = [nativeLz4(), nativeSnappy()].includes(undefined)
    if (missing) throw new Error('snappy and lz4-napi do not load here: run npm ci')
  })

  it('compress and decompress', () => {
    const block = Buffer.from([40, 0, 0, 0, 0x1f, 0x61, 1, 0, 10, 0x50, ...Buffer.from('bcdef')])
    expect(Buffer.from(nativeLz4()!.uncompressSync(block)).toString()).toBe(
      `${'a'.repeat(30)}bcdef`,
    )
    const data = Buffer.from('abc'.repeat(100))
    const options = { copyOutputData: true }
    const native = nativeSnappy()!
    const back = native.uncompressSync(native.compressSync(data, options), options)
    expect(Buffer.from(back).toString()).toBe(data.toString())
  })

  it('are used by the codecs', () => {
    const snappySpy = jest.spyOn(nativeSnappy()!, 'compressSync')
    const lz4Spy = jest.spyOn(nativeLz4()!, 'uncompressSync')
    codecOf('snappy').compress(DATA)
    const lz4 = codecOf('lz4')
    lz4.decompress(lz4.compress(DATA), DATA.length)
    expect(snappySpy).toHaveBeenCalled()
    expect(lz4Spy).toHaveBeenCalled()
    snappySpy.mockRestore()
    lz4Spy.mockRestore()
  })

  it('are not used if pure codecs are forced', () => {
    forcePureCodecs(true)
    expect(nativeLz4()).toBeUndefined()
    expect(nativeSnappy()).toBeUndefined()
  })

  it('are not loaded with SAMSA_NATIVE_CODECS=off', async () => {
    process.env[SWITCH] = 'off'
    jest.resetModules()
    const fresh = await import('../../../protocol/compression/native.ts')
    expect(fresh.nativeLz4()).toBeUndefined()
    expect(fresh.nativeSnappy()).toBeUndefined()
  })

  it.each([
    ['snappy', '7.4.0', true],
    ['snappy', '7.12.3', true],
    ['snappy', '7.3.3', false],
    ['snappy', '8.0.0', false],
    ['snappy', '6.9.9', false],
    ['snappy', '7.5.0-beta.1', false],
    ['lz4-napi', '2.10.0', true],
    ['lz4-napi', '2.9.1', false],
    ['lz4-napi', '3.0.0', false],
  ] as const)('of %s, version %s is accepted: %s', (name, version, isAccepted) => {
    expect(foundOf(name, version, WORKING)).toBe(isAccepted)
  })

  it('are ignored when their results are wrong or they do not load', () => {
    for (const name of ['snappy', 'lz4-napi'] as const) {
      const version = NATIVE_VERSIONS[name].join('.') + '.0'
      expect(foundOf(name, version, LYING)).toBe(false)
      expect(foundOf(name, version, 'throw new Error("not for this processor")')).toBe(false)
      expect(foundOf(name, version, 'exports.other = 1')).toBe(false)
    }
  })

  it('have the versions that the peer dependencies require', () => {
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      peerDependencies: Record<string, string>
    }
    const accepted = Object.entries(NATIVE_VERSIONS).map(([name, version]) => [
      name,
      `^${version.join('.')}.0`,
    ])
    expect(peerDependencies).toEqual({
      ...Object.fromEntries(accepted),
      // Those of samsa/storm.
      '@msgpack/msgpack': '^3.1.0',
      esbuild: '>=0.25.0 <1',
      // Those of samsa/opentelemetry and samsa/prometheus.
      '@opentelemetry/api': '^1.9.0',
      'prom-client': '^15.1.0',
    })
  })
})
