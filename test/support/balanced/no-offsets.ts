import type { OffsetStore } from '../../../src/consumer/offsets/offset-store.ts'

/** For coordinators whose offsets a test does not use. */
export const noOffsets: OffsetStore = {
  expires: true,
  fetch: () => Promise.resolve([]),
  commit: () => Promise.resolve([]),
}
