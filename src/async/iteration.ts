/**
 * AsyncIterableIterator<T, undefined>, whose second parameter TypeScript has only from 5.6 on. At the end `value` is
 * undefined here, not `any`.
 */
export interface Iteration<T> extends AsyncIterator<T, undefined> {
  [Symbol.asyncIterator](): Iteration<T>
}
