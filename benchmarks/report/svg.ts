/** The little of SVG that charts need. Coordinates are pixels, from the top left. */

const FONT = 'system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif'
export const INK = '#1f2328'
export const FAINT = '#d0d7de'
/** samsa's own, and those of the others. */
export const OWN = '#0969da'
export const OTHERS = ['#8c959f', '#bf8700', '#1a7f37', '#8250df', '#cf222e', '#bc4c00', '#57606a']

export function svg(
  width: number,
  height: number,
  title: string,
  parts: readonly string[],
): string {
  const box = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" font-family='${FONT}' font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

export function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="2" fill="${fill}"/>`
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke = FAINT): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}"/>`
}

export function polyline(points: readonly (readonly [number, number])[], stroke: string): string {
  const list = points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ')
  return `<polyline points="${list}" fill="none" stroke="${stroke}" stroke-width="2"/>`
}

export function dot(x: number, y: number, fill: string): string {
  return `<circle cx="${at(x)}" cy="${at(y)}" r="3.5" fill="${fill}"/>`
}

export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: 'normal' | 'bold'
  readonly fill?: string
}

/** `y` is the middle of its height. */
export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { anchor = 'start', weight = 'normal', fill = INK } = style
  const look = `text-anchor="${anchor}" font-weight="${weight}" fill="${fill}" dy="0.35em"`
  return `<text x="${at(x)}" y="${at(y)}" ${look}>${escaped(content)}</text>`
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
