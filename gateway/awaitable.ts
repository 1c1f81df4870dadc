/** The way of a request stays synchronous for as long as everything that it asks for is at hand. */
import type { Awaitable } from '../ledger/ledger.ts'

/** Goes on at once with what is at hand, and later with what is not. */
export const andThen = <T, U>(
  value: Awaitable<T>,
  next: (value: T) => Awaitable<U>,
): Awaitable<U> => (value instanceof Promise ? value.then(next) : next(value))
