/** The used part of the optional peer, so that the sources compile if it is not installed. */
declare module '@msgpack/msgpack' {
  export class Encoder {
    encode(value: unknown): Uint8Array<ArrayBuffer>
  }
  export function decode(bytes: Uint8Array): unknown
}
