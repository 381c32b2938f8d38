/**
 * The blocks of lz4 and snappy in AssemblyScript, which is compiled to WebAssembly:
 * `npm run embed-block-codecs` writes the module to protocol/compression/block-codecs-wasm.ts.
 * protocol/compression/block-codecs.ts starts it, lays out its memory, and says what was measured.
 *
 * Each file is the twin of one in protocol/compression. The functions have addresses where those have
 * arrays and positions. They make the same decisions: compressed blocks are equal byte for byte,
 * and the same blocks are rejected; which error it is, the twin says.
 */
export { lz4Compress } from './lz4-compress'
export { lz4Decompress } from './lz4-decompress'
export { snappyCompress } from './snappy-compress'
export { snappyDecompress } from './snappy-decompress'
