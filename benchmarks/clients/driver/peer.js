/** The clients that are installed under benchmarks/peers: `npm run bench:peers`. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const folders = ['../../peers/package.json', '../../peers/native/package.json']
const requires = folders.map((path) => createRequire(new URL(path, import.meta.url)))

export function peer(name) {
  return requires.find((one) => isThere(one, name))?.(name) ?? missing(name)
}

export function versionOf(name) {
  const found = requires.find((one) => isThere(one, name)) ?? missing(name)
  const entry = found.resolve(name)
  const folder = entry.slice(
    0,
    entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length,
  )
  return JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).version
}

function isThere(one, name) {
  try {
    one.resolve(name)
    return true
  } catch {
    return false
  }
}

function missing(name) {
  throw new Error(`${name} is not installed: npm run bench:peers`)
}
