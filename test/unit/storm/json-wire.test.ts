/** pystorm's tests of its serializer and of reading messages, on the wire that takes their place. */
import { describe, expect, it } from '@jest/globals'
import { JsonWire } from '../../../src/storm/multilang/json-wire.ts'

const decode = (text: string): unknown[] => new JsonWire().decode(Buffer.from(text))

describe('the JSON wire', () => {
  it('reads objects, task ids and several messages at once, also with other scripts', () => {
    expect(decode('{"hello": "world"}\nend\n')).toEqual([{ hello: 'world' }])
    expect(decode('[3, 4, 5]\nend\n{"command": "next"}\nend\n')).toEqual([
      [3, 4, 5],
      { command: 'next' },
    ])
    expect(decode('{"tuple": ["snow white \uFFE6"]}\nend\n')).toEqual([
      { tuple: ['snow white \uFFE6'] },
    ])
  })

  it('reads a message that spans several lines, some of them blank', () => {
    const text = '{ "id": "1", "comp": "1"\n\n, "task": 9,\n"tuple": ["a"]}\nend\n'
    expect(decode(text)).toEqual([{ id: '1', comp: '1', task: 9, tuple: ['a'] }])
  })

  it('reads messages however they are cut, also within a character', () => {
    const bytes = Buffer.from('{"tuple":["\uFFE6 end"]}\nend\n[1]\nend\n')
    for (let at = 0; at <= bytes.length; at++) {
      const wire = new JsonWire()
      const read = [...wire.decode(bytes.subarray(0, at)), ...wire.decode(bytes.subarray(at))]
      expect(read).toEqual([{ tuple: ['\uFFE6 end'] }, [1]])
    }
  })

  it('throws for invalid JSON', () => {
    expect(() => decode('hello\nend\n')).toThrow('a message from Storm is not JSON: hello')
  })

  it('writes messages with a line end, also with other scripts', () => {
    const wire = new JsonWire()
    expect(wire.encode({ command: 'sync' })).toBe('{"command":"sync"}\nend\n')
    expect(wire.encode({ command: 'log', msg: 'field\uFFE6\nend\n', level: 2 })).toBe(
      '{"command":"log","msg":"field\uFFE6\\nend\\n","level":2}\nend\n',
    )
  })

  it('writes the task of a direct emit in a form that Storm reads as a long', () => {
    const text = new JsonWire().encode({ command: 'emit', tuple: [1], task: 9 })
    const { task } = JSON.parse(text.slice(0, -5)) as { readonly task: number }
    expect(task).toBeGreaterThan(2 ** 31)
    // Java's (int).
    expect(task | 0).toBe(9)
  })
})
