/** Holds up the event loop, as a process that is suspended for a while is held up. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
