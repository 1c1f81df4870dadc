/** Whether a gateway answers where it should. */
import { describe } from '../failure.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const TIMEOUT_MILLISECONDS = 3000

/** @param url where the configuration says that the gateway listens */
export async function gateway(url: string): Promise<Finding> {
  const answer = await ready(url)
  if (answer === 200) return ok('gateway', `ready at ${url}`)
  if (typeof answer === 'number') {
    const advice = `read its log, and what ${url}/-/ready says`
    return fail('gateway', `${url} answers with status ${answer}`, advice)
  }
  return warn('gateway', `nothing answers at ${url} (${answer})`, 'start it with: valetkey serve')
}

/** @param url where clients reach it, through whatever stands in front */
export async function publicUrl(url: string): Promise<Finding> {
  const answer = await ready(url)
  if (answer === 200) return ok('public URL', `${url} leads to a ready gateway`)
  const advice = 'check publicUrl, the proxy in front, and that this machine can reach it'
  const what = typeof answer === 'number' ? `answers with status ${answer}` : `fails: ${answer}`
  return warn('public URL', `${url}/-/ready ${what}`, advice)
}

/** The status of its answer, or why there is none. */
async function ready(url: string): Promise<number | string> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS)
    const response = await fetch(`${url}/-/ready`, { signal, redirect: 'manual' })
    await response.body?.cancel()
    return response.status
  } catch (error) {
    const { cause } = error as Error
    return describe(cause ?? error)
  }
}
