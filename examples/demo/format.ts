export function count(value: number, width = 0): string {
  return value.toLocaleString('en').padStart(width)
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
