import type { Audit } from './audit.ts'
import { count } from './format.ts'

export function summary(audit: Audit): readonly string[] {
  const { sent, read, duplicates, sentDigest, readDigest, problems } = audit
  const digests = [
    '',
    `SHA-256 of all messages sent  ${sentDigest}`,
    `SHA-256 of all messages read  ${readDigest}`,
    '',
  ]
  if (problems.length > 0) {
    return [...digests, `FAILED: ${count(read)} of ${count(sent)} messages were read.`, ...problems]
  }
  return [
    ...digests,
    `Nothing was lost: all ${count(sent)} messages were read, byte for byte.`,
    duplicates === 0
      ? 'No message was read twice.'
      : `${count(duplicates)} were read twice: the process that read them first was killed or cut off before it could commit.`,
  ]
}
