import { describe, expect, it } from '@jest/globals'
import { FaultList } from '../../src/embedded/faults/fault-list.ts'
import { FaultWatch, mayNotFire } from '../support/fault-watch.ts'

const noFault = { hits: 0, remove: () => undefined, release: () => undefined }

describe('the watch over faults', () => {
  it('fails a test whose fault was never hit by a request, and names the place of the fault', () => {
    const watch = new FaultWatch()
    watch.add({ ...noFault, hits: 1 }, 'one that fired')
    watch.add(noFault, '{"api":"Produce","close":true}')
    const checked = () => watch.check()
    expect(checked).toThrow('a fault never fired: {"api":"Produce","close":true}')
    // The next test has faults of its own.
    expect(checked).not.toThrow()
  })

  it('accepts an unused fault that the test declares as possibly unused', () => {
    const watch = new FaultWatch()
    watch.add(noFault, 'optional')
    watch.allowUnfired(noFault)
    expect(() => watch.check()).not.toThrow()
  })

  it('sees every fault of an embedded cluster', () => {
    const faults = new FaultList<{ readonly times?: number }, object, string>(() => true)
    const met = faults.add({}, { close: true })
    expect(faults.meet('a request')).toBe(met)
    // This one would fail the test, were it not declared.
    expect(mayNotFire(faults.add({}, { close: true })).hits).toBe(0)
  })
})
