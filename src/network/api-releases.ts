/** The first release of Kafka whose brokers support an API, by the API's key. For errors. */
const RELEASES = [
  ['0.8.2', [0, 1, 2, 3, 8, 9, 10]],
  ['0.9', [11, 12, 13, 14, 15, 16]],
  ['0.10', [17, 18]],
  ['0.10.1', [19, 20]],
  ['0.11', [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33]],
  ['1.0', [34, 35, 36, 37]],
  ['1.1', [38, 39, 40, 41, 42]],
  ['2.2', [43]],
  ['2.3', [44]],
  ['2.4', [45, 46, 47]],
  ['2.6', [48, 49]],
  ['2.7', [50, 51, 57]],
  ['2.8', [60, 61]],
  ['3.0', [64, 65, 66]],
  ['3.3', [55]],
  ['3.7', [68, 69, 71, 72, 74]],
  ['3.8', [75]],
  ['3.9', [80, 81]],
  ['4.1', [76, 77, 78, 79, 88, 89, 90, 91, 92]],
  ['4.4', [93, 94]],
] as const

/** The first release with an API; undefined for an API that samsa does not know. */
export function releaseWith(apiKey: number): string | undefined {
  return RELEASES.find(([, keys]) => keys.some((key) => key === apiKey))?.[0]
}
