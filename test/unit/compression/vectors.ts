/** What other implementations wrote, in base64: each says which. */

/** `SHORT` and `LOG` are the contents. */
export const SHORT = 'samsa reads what Java writes, samsa reads what Java writes'

const LOG_BYTES = 100_000
let lines = ''
for (let index = 0; lines.length < LOG_BYTES; index++) lines += `line ${index % 10} of the log\n`
export const LOG = lines.slice(0, LOG_BYTES)

export const WRITTEN_BY_OTHERS = {
  /** kafka-clients 3.9.0, Compression.of(GZIP), `SHORT`. */
  javaGzip: ['H4sIAAAAAAAA/ytOzC1OVChKTUwpVijPSCxR8EosS1QoL8osSS3WUSjGIwsAOGoJ7joAAAA='].join(''),
  /** kafka-clients 3.9.0 with snappy-java 1.1.10.5, `SHORT`. */
  javaSnappy: ['glNOQVBQWQAAAAABAAAAAQAAACM6dHNhbXNhIHJlYWRzIHdoYXQgSmF2YSB3cml0ZXMsIG4eAA=='].join(
    '',
  ),
  /** kafka-clients 3.9.0 with lz4-java 1.8.0, magic 2, `SHORT`. */
  javaLz4: ['BCJNGGBAgikAAAD/D3NhbXNhIHJlYWRzIHdoYXQgSmF2YSB3cml0ZXMsIB4ABFByaXRlcwAAAAA='].join(
    '',
  ),
  /** The same with magic 0: the broken header checksum of KAFKA-3160, `SHORT`. */
  javaLz4Legacy: [
    'BCJNGGBAGikAAAD/D3NhbXNhIHJlYWRzIHdoYXQgSmF2YSB3cml0ZXMsIB4ABFByaXRlcwAAAAA=',
  ].join(''),
  /** kafka-clients 3.9.0 with zstd-jni 1.5.6-4, a stream without content size, `SHORT`. */
  javaZstd: ['KLUv/QBYLAEA8HNhbXNhIHJlYWRzIHdoYXQgSmF2YSB3cml0ZXMsIAEABkY5AQEAAA=='].join(''),
  /** kafka-clients 3.9.0 with lz4-java 1.8.0, two independent blocks, `LOG`. */
  javaLz4Log: [
    'BCJNGGBAgkQBAADxA2xpbmUgMCBvZiB0aGUgbG9nChIAHTESAB0yEgAdMxIAHTQSAB01EgAdNhIAHTcSAB04EgAd',
    'ORIAD7QA////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '/////////////////////////////////////////////////////////////////////////////////////y9Q',
    'aGUgbG/KAAAA8wNnCmxpbmUgMSBvZiB0aGUgbG8SAB0yEgAdMxIAHTQSAB01EgAdNhIAHTcSAB04EgAdORIAHTAS',
    'AA+0AP//////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////U1A1IG9mIAAAAAA=',
  ].join(''),
  /** liblz4 1.9.4 (Python lz4 4.4.5): linked 64 KiB blocks, block and content checksums, content size, `LOG`. */
  lz4Linked: [
    'BCJNGFxAoIYBAAAAAABgRAEAAPEDbGluZSAwIG9mIHRoZSBsb2cKEgAdMRIAHTISAB0zEgAdNBIAHTUSAB02EgAd',
    'NxIAHTgSAB05EgAPtAD/////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////L1BoZSBsb/wLZBmRAAAAD/D/////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////D1A1IG9mIBi2aWoAAAAAsywQLg==',
  ].join(''),
  /** The same: one block of up to 4 MiB, content checksum, no content size, `LOG`. */
  lz4Large: [
    'BCJNGGRQCMsBAADxA2xpbmUgMCBvZiB0aGUgbG9nChIAHTESAB0yEgAdMxIAHTQSAB01EgAdNhIAHTcSAB04EgAd',
    'ORIAD7QA////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '////////////////////////////////////////////////////////////////////////////////////////',
    '/1ZQNSBvZiAAAAAAsywQLg==',
  ].join(''),
  /** libsnappy's format by the Rust crate snap (Python cramjam): one raw block as librdkafka writes, the first 30,000 bytes of `LOG`. */
  snappyRaw: [
    'sOoBRGxpbmUgMCBvZiB0aGUgbG9nCgUSADFCEgAAMkISAAAzQhIAADRCEgAANUISAAA2QhIAADdCEgAAOEISAAA5',
    'QhIA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA/rQA',
    '/rQA/rQA/rQA/rQA2rQA',
  ].join(''),
  /** libzstd (Python zstandard), level 19, streamed: no content size, content checksum, `LOG`. */
  zstdStream: [
    'KLUv/QRopQEA2GxpbmUgMCBvZiB0aGUgbG9nCjEyMzQ1Njc4OQugQHj/HrAj6+mFt5w7z2bzbD5jlhJaCkWaX+A=',
  ].join(''),
}
