import { expect } from '@jest/globals'
import type { ToolComparison } from './tool-comparison.ts'

export const messages: ToolComparison = {
  name: 'messages: each reads what the other writes, and offsets agree',
  run: async ({ samsa, tools, isNew }) => {
    await samsa.output('topic create messages -p 1 -r 1')
    await samsa.output('produce messages -K :', { input: 'a:1\nb:2\n' })
    await tools.run(
      'produce',
      [
        '--topic',
        'messages',
        ...tools.producerProperty('parse.key=true'),
        ...tools.producerProperty('key.separator=:'),
      ],
      'c:3\nd:4\n',
    )
    const all = ['--from-beginning', '--max-messages', '4', '--topic', 'messages']
    const property = isNew ? '--formatter-property' : '--property'
    const keyed = [property, 'print.key=true', property, 'key.separator=:']
    const byTool = await tools.lines('consume', [...all, ...keyed])
    expect(byTool).toEqual(['a:1', 'b:2', 'c:3', 'd:4'])
    const byUs = await samsa.output('consume messages --from-beginning --exit -K :')
    expect(byUs.trimEnd().split('\n')).toEqual(byTool)

    expect(await tools.lines('offsets', ['--topic', 'messages', '--time', '-1'])).toEqual([
      'messages:0:4',
    ])
    expect(await samsa.json('offsets list messages')).toEqual([
      { topic: 'messages', partition: 0, start: 0, end: 4 },
    ])
    await samsa.output('topic trim messages --before 1 --yes --json')
    expect(await tools.lines('offsets', ['--topic', 'messages', '--time', '-2'])).toEqual([
      'messages:0:1',
    ])

    await samsa.output('mirror messages --rename copy-of-% --json')
    expect(
      await tools.lines('consume', [
        '--topic',
        'copy-of-messages',
        '--from-beginning',
        '--max-messages',
        '3',
        ...keyed,
      ]),
    ).toEqual(['b:2', 'c:3', 'd:4'])
    await samsa.output('topic create measured -p 1 -r 1')
    expect(await samsa.json('bench produce measured -n 1000 --size 10')).toMatchObject({
      messages: 1000,
    })
    expect(await tools.lines('offsets', ['--topic', 'measured', '--time', '-1'])).toEqual([
      'measured:0:1000',
    ])
    expect(await samsa.json('bench consume measured')).toMatchObject({ messages: 1000 })
  },
}
