/** `?zip`: the response that many objects are sent in. */
import { create as contentDisposition } from 'content-disposition'
import { Refusal } from '../key/refusal.ts'
import type { Admitted } from './admit.ts'
import type { Exchange } from './exchange.ts'
import { parameter, type Query } from './request.ts'
import { respond, writeHead } from './respond.ts'
import { ALWAYS } from './served.ts'
import type { Services } from './services.ts'
import { planZip, sendZip, takeZipUse } from './verbs/zip.ts'

/**
 * `only=NAME`, repeated, is what of the folder is wanted; `filename=` what the zip is saved as.
 * @param head without the body, and then without a use
 */
export async function respondZip(
  query: Query,
  head: boolean,
  admitted: Admitted,
  exchange: Exchange,
  services: Services,
): Promise<void> {
  const only = query.flatMap(([name, value]) => (name === 'only' ? [value] : []))
  const name = fileName(parameter(query, 'filename'), admitted.attempt.path)
  const plan = await planZip(admitted, services, exchange, only)
  const headers = [
    'Content-Type',
    'application/zip',
    'Content-Disposition',
    contentDisposition(name),
    'Cache-Control',
    'private, no-store',
    ...ALWAYS,
    'Content-Length',
    String(plan.length),
  ]
  if (head) return respond(exchange, services, 200, headers)
  const use = await takeZipUse(admitted, plan, services)
  const writeHeaders = (): void => writeHead(exchange, services, 200, headers)
  await sendZip(plan, use, admitted, exchange, services, writeHeaders)
}

/** As asked for, else as the folder is called. @throws Refusal request_malformed */
function fileName(asked: string | undefined, prefix: string): string {
  const stem = asked?.replace(/\.zip$/i, '') || prefix.split('/').at(-2) || 'files'
  if (stem.length <= 200 && stem.isWellFormed() && !/[\p{Cc}\\/]/u.test(stem)) return `${stem}.zip`
  throw new Refusal(
    'request_malformed',
    'filename is the name of a file: at most 200 characters, no slashes, no control characters',
  )
}
