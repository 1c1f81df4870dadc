/**
 * The head of a response whose fields are the same each time: checked and joined once. Node checks and
 * joins every field anew for each response, an eighth of what a small download costs.
 *
 * What is sent is, byte for byte, what Node would have sent. The text goes where `writeHead` puts its
 * own: `_header` of the response (Node, `lib/_http_outgoing.js`). Where a Node has no such place, or
 * anything about the response is out of the ordinary, `writeHead` does it.
 */
import {
  type ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http'

/** How long a connection is kept for another request, in milliseconds. */
export const KEEP_ALIVE_TIMEOUT = 5_000

const kept = new WeakMap<readonly string[], string>()

/**
 * Says that these fields are sent again and again, for as long as somebody holds the list.
 * @param fields name, value, name, value; of responses that state the Content-Length of what body
 *   they have, and neither Date nor Connection
 * @throws TypeError for what no header may hold
 */
export function keepFields(fields: readonly string[]): void {
  kept.set(fields, joined(fields))
}

/**
 * Writes the head of a response; nothing is sent yet.
 * @param fields those that were kept, where some were
 * @param more of this response alone
 * @throws TypeError for what no header may hold
 */
export function writeHeadOf(
  outgoing: ServerResponse,
  status: number,
  fields: readonly string[],
  more: readonly string[],
): void {
  const text = kept.get(fields)
  if (text === undefined || !isOrdinary(outgoing, status)) {
    outgoing.writeHead(status, [...fields, ...more])
    return
  }
  outgoing.statusCode = status
  outgoing._header = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${text}${joined(more)}Date: ${date()}\r\n${KEPT_OPEN}\r\n`
}

declare module 'node:http' {
  interface ServerResponse {
    /** null until there is a head */
    _header?: string | null
  }
}

/** Where nothing is to be decided about the connection and the framing of the body. */
const isOrdinary = ({ _header, req, shouldKeepAlive }: ServerResponse, status: number): boolean =>
  _header === null &&
  (status === 200 || status === 206) &&
  shouldKeepAlive &&
  req.httpVersion === '1.1' &&
  req.headers.expect === undefined

const KEPT_OPEN = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_TIMEOUT / 1000}\r\n`

function joined(fields: readonly string[]): string {
  let text = ''
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at] as string, fields[at + 1] as string]
    validateHeaderName(name)
    validateHeaderValue(name, value)
    text += `${name}: ${value}\r\n`
  }
  return text
}

let second = 0
let atSecond = ''

/** RFC 9110 §6.6.1, made once a second. */
function date(): string {
  const now = Math.floor(Date.now() / 1000)
  if (now !== second) {
    second = now
    atSecond = new Date(now * 1000).toUTCString()
  }
  return atSecond
}
