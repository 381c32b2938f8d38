import type { Admin, GroupOffset } from '../index.ts'
import type { Session } from './session.ts'

/** The committed offsets of a group. Throws if one could not be read, like `checkItems`. */
export async function committedOffsets(
  admin: Admin,
  session: Session,
  group: string,
): Promise<readonly (GroupOffset & { readonly offset: number })[]> {
  const [listed] = await admin.listGroupOffsets([group], session.call)
  session.checkItems([listed!, ...listed!.offsets])
  // An item without an error has an offset, and `checkItems` has thrown for the others.
  return listed!.offsets.map((one) => ({ ...one, offset: one.offset! }))
}
