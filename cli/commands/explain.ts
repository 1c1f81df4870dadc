import type { Command } from 'commander'
import { Gatekeeper } from '../../gateway/admit.ts'
import { explain as explainQuestion, type Question, type Stage } from '../../gateway/explain.ts'
import { parseAddress } from '../../key/address.ts'
import { inspectKey } from '../../key/inspect.ts'
import { keyOf, leadsToPage, linkOf } from '../../key/link.ts'
import { parseScope } from '../../key/object-path.ts'
import type { UnixSeconds } from '../../key/units.ts'
import type { Cli } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { printable } from '../format.ts'
import { repeated } from '../restrictions.ts'

interface Flags {
  readonly address?: string
  readonly header?: readonly string[]
  readonly tls?: true
}

export function addExplain(program: Command, cli: Cli): void {
  program
    .command('explain')
    .description('Say what the gateway would decide of a request, stage by stage. Counts nothing.')
    .argument('<method>', 'GET, HEAD, PUT, DELETE')
    .argument('<url>', 'the whole link')
    .option('--address <ip>', "the client's address (default: 127.0.0.1)")
    .option('--header <line>', "a request header ('Content-Type: image/png'); repeatable", repeated)
    .option('--tls', 'as if it came over TLS (default: as the link says)')
    .addHelpText(
      'after',
      "\nExample:\n  valetkey explain PUT 'https://…?vk=vk1.…' --header 'Content-Length: 9000'",
    )
    .action((method: string, url: string, flags: Flags) => explain(cli, method, url, flags))
}

async function explain(cli: Cli, method: string, url: string, flags: Flags): Promise<void> {
  const question = asked(method, behind(url, method, cli.shell.now()), flags)
  const settings = cli.settings()
  const stages = await cli.withData({ make: false, settings }, async (data) => {
    const ledger = await data.ledger()
    return explainQuestion(question, {
      ledger,
      gatekeeper: new Gatekeeper(ledger, await data.keyring()),
      store: await data.store(),
      clock: await data.clock(),
      basePath: settings.gateway.basePath,
    })
  })
  const allowed = stages.every(({ passed }) => passed)
  await cli.terminal.result({ allowed, stages }, () => report(cli, stages, allowed))
}

/** A link to a page, as the page would ask: for the object, or for some name beneath the prefix. */
function behind(text: string, method: string, now: UnixSeconds): string {
  if (!URL.canParse(text) || !leadsToPage(new URL(text))) return text
  const { key, url = new URL(text) } = keyOf(text)
  const [scope = '/'] = inspectKey(key, now).scopes
  const isOfName = scope.endsWith('/') && scope !== '/' && !/^(get|head)$/i.test(method)
  const path = parseScope(isOfName ? `${scope}FILE` : scope)
  return linkOf(url.origin + url.pathname.replace(/\/-\/[^/]*$/, ''), path, key)
}

function asked(method: string, url: string, { address, header = [], tls }: Flags): Question {
  if (address !== undefined && parseAddress(address) === undefined) {
    throw new UsageError('--address is an IPv4 or IPv6 address')
  }
  return {
    method: method.toUpperCase(),
    url,
    headers: Object.fromEntries(header.map(headerOf)),
    tls: tls ?? /^https:/i.test(url),
    ...(address !== undefined && { address }),
  }
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new UsageError("--header is written as 'NAME: VALUE'")
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
}

function report({ terminal }: Cli, stages: readonly Stage[], allowed: boolean): string {
  const table = terminal.table<Stage>(
    [
      {
        value: ({ passed }) => (passed ? 'passes' : 'refuses'),
        paint: (cell, { passed }) => terminal.paint(passed ? 'green' : 'red', cell),
      },
      { value: ({ stage }) => stage },
      {
        value: ({ code, detail }) => (code === undefined ? detail : `${code}: ${detail}`),
        fit: 'wrap',
      },
    ],
    stages,
  )
  const last = stages.at(-1)
  const decision = allowed ? 'It would be served.' : `It would be refused: ${last?.code ?? ''}.`
  return `${table}${terminal.paint('bold', printable(decision))}\n`
}
