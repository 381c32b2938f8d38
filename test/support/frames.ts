/** Cuts a byte stream into frames, sizes included. Not the client's own: that is what is tested. */
export function frameCutter(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= 4) {
      const end = 4 + held.readInt32BE(0)
      if (held.length < end) return
      const frame = held.subarray(0, end)
      held = held.subarray(end)
      onFrame(frame)
    }
  }
}
