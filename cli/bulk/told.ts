/** What commands that carry many things have in common on the terminal. */
import { type Prefix, parsePath } from '../../key/object-path.ts'
import type { Cli } from '../cli.ts'
import { Failure, UsageError } from '../failure.ts'
import { counted, printable } from '../format.ts'
import type { LeftOut } from './left-out.ts'

/** `/` is everything: its folders are the buckets. @throws UsageError, Refusal */
export function prefixOf(text: string): Prefix {
  if (text === '/') return '' as Prefix
  if (text.endsWith('/')) return parsePath(text).path as Prefix
  throw new UsageError(
    `${printable(text)} is no prefix: write ${printable(text)}/ for all beneath it`,
  )
}

/** @throws Failure where anything was left out; the result has been printed before */
export function tellLeftOut(cli: Cli, leftOut: readonly LeftOut[], noun: string): void {
  if (leftOut.length === 0) return
  for (const { name, reason } of leftOut) {
    cli.terminal.warn(`left out ${printable(name)}: ${printable(reason)}`)
  }
  throw new Failure(`${counted(leftOut.length, noun)} left out, as listed; the rest is done`)
}
