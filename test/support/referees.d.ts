/** Packages without declarations that tests compare samsa with. */
declare module 'snappyjs' {
  const snappyjs: {
    compress(data: Uint8Array): Uint8Array
    uncompress(data: Uint8Array): Uint8Array
  }
  export default snappyjs
}

declare module 'lz4js' {
  const lz4js: {
    compress(data: Uint8Array): Uint8Array
    decompress(data: Uint8Array): Uint8Array
  }
  export default lz4js
}
