import { describe, expect, it } from '@jest/globals'
import {
  describeZooKeeperHosts,
  parseZooKeeperHosts,
  znodeNameProblem,
} from '../../../src/cluster/zookeeper-hosts.ts'
import { KafkaClient } from '../../../src/index.ts'

describe('zookeeperHosts', () => {
  it.each([
    ['a', 'a:2181'],
    ['a:1, b:2', 'a:1,b:2'],
    [' a:1 ,b ', 'a:1,b:2181'],
    ['a:1/chroot/', 'a:1/chroot'],
    ['a:1/', 'a:1'],
    ['a:1/one/two//', 'a:1/one/two'],
    ['a:1/with space', 'a:1/with space'],
    ['[::1]:1, [fe80::1%eth0]/x', '[::1]:1,[fe80::1%eth0]:2181/x'],
  ])('parses %p as %p', (text, described) => {
    expect(describeZooKeeperHosts(parseZooKeeperHosts(text))).toBe(described)
  })

  it.each([
    '',
    ',',
    'a:1,',
    'a:0',
    'a:65536',
    'a:b',
    'a b:1',
    '::1',
    'user:password@a:1',
    'a:1/x//y',
    'a:1/../y',
    'a:1/./y',
    'a:1/x\u0001',
    '/chroot',
  ])(
    'rejects %p, in clients and balanced consumers, without repeating it in the error',
    async (text) => {
      expect(() => new KafkaClient({ zookeeperHosts: text })).toThrow(/zookeeperHosts/)
      await using client = new KafkaClient({ hosts: '127.0.0.1:1' })
      const options = { consumerGroup: 'g', zookeeperHosts: text }
      const opening = client.topic('t').getBalancedConsumer(options)
      await expect(opening).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      await expect(opening).rejects.not.toThrow(/password/)
    },
  )

  it('accepts the znode names that ZooKeeper accepts', () => {
    const refused = ['', '.', '..', 'a/b', 'a\0', '\u0085', '\ud83d\ude00', '\ufff0']
    expect(refused.filter((name) => znodeNameProblem(name) === undefined)).toEqual([])
    const allowed = ['a', 'with space', '...', 'größe', "b'x'", '%2F']
    expect(allowed.filter((name) => znodeNameProblem(name) !== undefined)).toEqual([])
  })
})
