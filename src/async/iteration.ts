/**
 * AsyncIterableIterator<T, undefined>, which TypeScript has with a second parameter from 5.6 on only. Here `value`
 * is undefined at the end, and not `any`.
 */
export interface Iteration<T> extends AsyncIterator<T, undefined> {
  [Symbol.asyncIterator](): Iteration<T>
}
