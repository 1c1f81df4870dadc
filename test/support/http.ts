/** Requests as programs send them: through node:http, where every header is ours to state. */
import { Agent, type IncomingMessage, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  text(): string
  // biome-ignore lint/suspicious/noExplicitAny: what tests look into
  json(): any
  /** the code of a refusal */
  readonly code: string | undefined
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** a string or bytes are sent with their length, chunks without */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

const isWhole = (body: Question['body']): body is string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array

/** The answer, read to its end. Rejects where the connection broke before that. */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = question
  const agent = new Agent({ keepAlive: false })
  const sent = request(url, {
    method,
    agent,
    headers: {
      ...(isWhole(body) && { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    } as Record<string, string | string[]>,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.once('close', () => reject(new Error('the connection ended without an answer')))
  })
  void write(sent, body).catch(() => {})
  const incoming = await answered
  // a refusal may end the connection while the rest of the body is being sent
  sent.on('error', () => {})
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return answerOf(incoming, Buffer.concat(chunks))
}

async function write(sent: ReturnType<typeof request>, body: Question['body']): Promise<void> {
  if (body === undefined || isWhole(body)) {
    sent.end(body)
    return
  }
  for await (const chunk of body) {
    if (sent.destroyed) return
    if (!sent.write(chunk)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          sent.off('drain', go).off('close', go)
          resolve()
        }
        sent.on('drain', go).on('close', go)
      })
    }
  }
  sent.end()
}

function answerOf(incoming: IncomingMessage, body: Buffer): Answer {
  const isProblem = incoming.headers['content-type'] === 'application/problem+json'
  const problem = isProblem && body.length > 0 ? JSON.parse(body.toString()) : undefined
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body,
    text: () => body.toString(),
    json: () => JSON.parse(body.toString()),
    code: problem?.code,
  }
}
