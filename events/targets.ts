/** The ways to tell of an event: a webhook, a command, a mail. */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { Agent, request } from 'undici'
import type { CommandTarget, MailTarget, WebhookTarget } from './config.ts'
import type { Event, Target } from './events.ts'
import { checkUrl, guardedLookup } from './guard.ts'

/** What every way is told beside its own. */
export interface Common {
  /** of the gateway, as its clients reach it */
  readonly source: string
  /** milliseconds */
  readonly timeout: number
  readonly allowPrivate: boolean
}

/** CloudEvents 1.0, JSON. */
export const cloudEvent = ({ id, type, time, subject, data }: Event, source: string): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type: `valetkey.${type}`,
    subject,
    time,
    datacontenttype: 'application/json',
    data,
  })

/**
 * Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over id, seconds and body, with dots between.
 * @param secret its bytes
 */
export const signatureOf = (secret: Buffer, id: string, seconds: number, body: string): string =>
  `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`

/** More of an answer than this is not read. */
const MOST_READ = 4096

export function webhook(target: WebhookTarget, secret: Buffer, common: Common): Target {
  const { allowPrivate, timeout, source } = common
  const dispatcher = new Agent({
    connect: { lookup: guardedLookup(allowPrivate), timeout },
    connections: 4,
    keepAliveTimeout: 1000,
  })
  return {
    ...target,
    async tell(event) {
      const url = new URL(target.url)
      checkUrl(url, allowPrivate)
      const body = cloudEvent(event, source)
      const seconds = Math.floor(Date.now() / 1000)
      const { statusCode, body: answer } = await request(url, {
        dispatcher,
        method: 'POST',
        signal: AbortSignal.timeout(timeout),
        headers: {
          'content-type': 'application/cloudevents+json',
          'webhook-id': event.id,
          'webhook-timestamp': String(seconds),
          'webhook-signature': signatureOf(secret, event.id, seconds, body),
        },
        body,
      })
      await answer.dump({ limit: MOST_READ }).catch(() => {})
      // a redirect is none either: it would lead past whoever chose the address
      if (statusCode < 200 || statusCode > 299) throw new Error(`it answered ${statusCode}`)
    },
  }
}

/** The event on standard input; the exit code 0 says that it was taken. */
export function command(target: CommandTarget, { source, timeout }: Common): Target {
  const [program = '', ...args] = target.exec
  return {
    ...target,
    tell: (event) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, {
          stdio: ['pipe', 'ignore', 'ignore'],
          // a group of its own, so that what it started ends with it
          detached: true,
          // what else is in our environment, such as a signing key, is none of its business
          env: { PATH: process.env.PATH, EVENT_TYPE: event.type, EVENT_ID: event.id },
        })
        const overdue = setTimeout(() => killGroup(child.pid), timeout)
        child.once('error', (error) => {
          clearTimeout(overdue)
          reject(error)
        })
        child.once('close', (code, signal) => {
          clearTimeout(overdue)
          if (code === 0) resolve()
          else reject(new Error(`it ended with ${signal ?? `exit code ${code}`}`))
        })
        child.stdin.on('error', () => {})
        child.stdin.end(`${cloudEvent(event, source)}\n`)
      }),
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}

export function mail(target: MailTarget, password: string | undefined, common: Common): Target {
  const { server, from, to, user } = target.mail
  const transport = createTransport({
    url: server,
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: common.timeout,
    greetingTimeout: common.timeout,
    socketTimeout: common.timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    ...target,
    async tell(event) {
      await transport.sendMail({
        from,
        to,
        subject: `valetkey: ${event.type} ${event.subject}`,
        // the same for the same event, so that a mail that comes twice can be seen to be one
        messageId: `<${event.id}@valetkey>`,
        text: `${event.type}\n${event.time}\n${event.subject}\n\n${JSON.stringify(event.data, null, 2)}\n`,
      })
    },
  }
}
