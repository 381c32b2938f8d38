/** What is used of the optional peer, so that the sources compile where it is not installed. */
declare module '@msgpack/msgpack' {
  export class Encoder {
    encode(value: unknown): Uint8Array<ArrayBuffer>
  }
  export function decode(bytes: Uint8Array): unknown
}
