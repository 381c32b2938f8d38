/** pystorm's tests of spouts (test_spout.py), on the harness, and what they lack. */
import { describe, expect, it } from '@jest/globals'
import { ReliableSpout, Spout, testSpout, type TupleId } from '../../../src/storm/index.ts'

class Recorder extends Spout {
  readonly calls: string[] = []
  act: () => void | Promise<void> = () => undefined
  override nextTuple(): void | Promise<void> {
    this.calls.push('next')
    return this.act()
  }
  override ack(id: TupleId): void {
    this.calls.push(`ack ${id}`)
  }
  override fail(id: TupleId): void {
    this.calls.push(`fail ${id}`)
  }
  override activate(): void {
    this.calls.push('activate')
  }
  override deactivate(): void {
    this.calls.push('deactivate')
  }
}

class Reliable extends ReliableSpout {
  override nextTuple(): void {
    this.emit([1, 2, 3], { id: 'foo' })
  }
}

describe('a spout', () => {
  it('emits with and without id, stream and direct task', async () => {
    const spout = await testSpout(Recorder)
    spout.component.act = () => {
      spout.component.emit([1, 2, 3])
      spout.component.emit([1], { id: 'foo' })
      spout.component.emit([1], { id: 'foo', directTask: 5, stream: 'other' })
    }
    await spout.next()
    expect(spout.messages).toEqual([
      { command: 'emit', tuple: [1, 2, 3], need_task_ids: false },
      { command: 'emit', tuple: [1], id: 'foo', need_task_ids: false },
      { command: 'emit', tuple: [1], id: 'foo', stream: 'other', task: 5, need_task_ids: false },
      { command: 'sync' },
    ])
  })

  it('gets each command of Storm, and answers each with one sync', async () => {
    const spout = await testSpout(Recorder)
    await spout.activate()
    await spout.next()
    await spout.ack(1234)
    await spout.fail('a')
    await spout.deactivate()
    expect(spout.component.calls).toEqual(['activate', 'next', 'ack 1234', 'fail a', 'deactivate'])
    expect(spout.messages).toEqual(Array(5).fill({ command: 'sync' }))
  })

  it('answers with one sync after an error that it reports, and after one that it throws', async () => {
    const spout = await testSpout(Recorder)
    spout.component.exitOnException = false
    spout.component.act = () => spout.component.raiseError(new Error('reported'))
    await spout.next()
    spout.component.act = () => {
      throw new Error('thrown')
    }
    await spout.next()
    expect(spout.sent.errors).toHaveLength(2)
    expect(
      spout.messages.filter((message) => 'command' in message && message.command === 'sync'),
    ).toHaveLength(2)
  })

  it('answers before nextTuple has finished when that takes long, and calls it once at a time', async () => {
    const spout = await testSpout(Recorder, { conf: { 'topology.subprocess.timeout.secs': 3 } })
    let finish = (): void => undefined
    spout.component.act = () => new Promise((resolve) => (finish = resolve))
    const first = spout.next()
    spout.clock.advance(999)
    expect(spout.messages).toEqual([])
    spout.clock.advance(1)
    expect(spout.messages).toEqual([{ command: 'sync' }])
    const second = spout.next()
    expect(spout.component.calls).toEqual(['next'])
    finish()
    await Promise.all([first, second])
    expect(spout.messages).toEqual([{ command: 'sync' }, { command: 'sync' }])
    expect(spout.component.calls).toEqual(['next'])
  })

  it('ends with code 1 when nextTuple throws', async () => {
    const spout = await testSpout(Recorder)
    spout.component.act = () => Promise.reject(new Error('borkt'))
    expect((await spout.next()).errors[0]).toContain('borkt')
    expect(spout.exitCode).toBe(1)
  })
})

describe('a reliable spout', () => {
  it('refuses to emit without an id', async () => {
    const spout = await testSpout(Reliable)
    expect(() => spout.component.emit([1])).toThrow('emits without an id')
  })

  it('remembers what it emits until it is acked', async () => {
    const spout = await testSpout(Reliable)
    await spout.next()
    expect([...spout.component.unackedTuples.keys()]).toEqual(['foo'])
    await spout.fail('foo')
    await spout.ack('foo')
    expect(spout.component.unackedTuples.size).toBe(0)
    expect(spout.component.failedTuples.size).toBe(0)
  })

  it('emits a failed tuple again, up to maxFails times, then gives it up', async () => {
    const spout = await testSpout(Reliable)
    await spout.next()
    for (let fails = 1; fails <= 3; fails++) {
      expect((await spout.fail('foo')).emitted).toMatchObject([{ values: [1, 2, 3], id: 'foo' }])
      expect(spout.component.failedTuples.get('foo')).toBe(fails)
    }
    const last = await spout.fail('foo')
    expect(last.emitted).toEqual([])
    expect(last.logs[0]!.message).toContain('Giving up tuple foo')
    expect(spout.component.unackedTuples.size).toBe(0)
  })

  it('logs acks and fails of unknown tuples', async () => {
    const spout = await testSpout(Reliable)
    expect((await spout.ack('bar')).logs[0]!.message).toContain('ack for unknown tuple id: bar')
    expect((await spout.fail('bar')).logs[0]!.message).toContain('fail for unknown tuple id: bar')
  })
})
