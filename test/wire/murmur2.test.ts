import { expect, it } from '@jest/globals'
import { join } from 'node:path'
import { murmur2, murmur2OfText } from '../../protocol/buffer/murmur2.ts'
import { murmur2Partition } from '../../src/producer/intake/partitioners.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { clientJars } from './support/jars.ts'
import { Random } from './support/random.ts'
import { runJava } from './support/run-java.ts'

const KEYS = 100_000
const PROGRAM = join(__dirname, 'java', 'Murmur2.java')

describeWithBrokers('murmur2', ['java'], () => {
  it(`matches Kafka's own class for ${KEYS} keys`, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    const random = new Random(seed)
    const keys = Array.from({ length: KEYS }, (_, index) =>
      index % 2 === 0 ? random.bytes(random.below(40)) : Buffer.from(randomText(random)),
    )
    const input = keys.flatMap((key) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(key.length)
      return [size, key]
    })
    const hashes = await runJava(PROGRAM, await clientJars('4.4.0'), Buffer.concat(input))
    expect(hashes.length).toBe(4 * KEYS)
    const wrong = keys.filter((key, index) => {
      const expected = hashes.readInt32BE(4 * index)
      const text = key.toString()
      const isText = index % 2 === 1
      return (
        murmur2(key) !== expected ||
        murmur2Partition(key, 17) !== (expected & 0x7fffffff) % 17 ||
        (isText && murmur2OfText(text) !== expected)
      )
    })
    expect(wrong).toEqual([])
  })
})

/** Of one to four bytes a character, some longer than what is hashed without a buffer. */
function randomText(random: Random): string {
  const alphabet = random.chance(3) ? 'aé値😀' : 'abcdefgh-0123456789'
  const characters = Array.from(alphabet)
  const length = random.chance(20) ? 200 : random.below(30)
  return Array.from({ length }, () => random.pick(characters)).join('')
}
