/**
 * Modules of Node.js that are not imported, because a process would wait for them at its start. node:zlib takes 2 ms,
 * and few codecs need it. node:util is always there, but importing it takes 2.6 ms: an ES module reads all exports of
 * a built-in module, and some of these load others. `process.getBuiltinModule` (Node.js 20.16) reads none.
 */

export const utilModule = () => process.getBuiltinModule('node:util')

export const zlibModule = () => process.getBuiltinModule('node:zlib')
