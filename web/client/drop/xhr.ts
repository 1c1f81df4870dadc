/** The wire of a browser: XMLHttpRequest, since fetch does not tell what of a body was sent. */
import { Trouble, type WireAnswer, type WireRequest } from './wire.ts'

/** Without a byte or an answer for so long, the connection is taken for dead; milliseconds. */
const SILENCE = 60_000
/** Once all is sent: it may be looked at before it is answered, and wait for others that are. */
const LOOKED_AT = 600_000

/** @see Wire */
export const xhr = (request: WireRequest): Promise<WireAnswer> =>
  new Promise((resolve, reject) => {
    const { method, url, headers, body, onSent, signal } = request
    signal.throwIfAborted()
    const sending = new XMLHttpRequest()
    const stop = (): void => sending.abort()
    let silence = setTimeout(stop, SILENCE)
    const allow = (milliseconds: number): void => {
      clearTimeout(silence)
      silence = setTimeout(stop, milliseconds)
    }
    sending.open(method, url)
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value)
    sending.upload.onprogress = ({ loaded }) => {
      allow(SILENCE)
      onSent?.(Math.min(loaded, body?.size ?? 0))
    }
    sending.upload.onload = () => allow(LOOKED_AT)
    sending.onloadend = () => {
      clearTimeout(silence)
      signal.removeEventListener('abort', stop)
      if (signal.aborted) reject(signal.reason)
      // no status: nothing came back, whatever the reason was
      else if (sending.status === 0) reject(new Trouble('network'))
      else resolve(answerOf(sending))
    }
    signal.addEventListener('abort', stop)
    sending.send(body ?? null)
  })

const answerOf = (sending: XMLHttpRequest): WireAnswer => ({
  status: sending.status,
  text: sending.responseText,
  header: (name) => sending.getResponseHeader(name),
})
