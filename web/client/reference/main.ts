/** The reference of the issuer's API, drawn from its own OpenAPI document. */
import { fill, h } from '../common/dom.ts'
import type { Document, Operation, Parameter } from './document.ts'
import { nameIn, rowsOf, typeOf } from './types.ts'

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

async function draw(page: HTMLElement): Promise<void> {
  const response = await fetch('openapi.json')
  const document: Document = await response.json()
  const entries = Object.entries(document.paths).flatMap(([path, operations]) =>
    METHODS.flatMap((method) => {
      const operation = operations[method]
      return operation === undefined
        ? []
        : [{ path, method, operation, id: `${method}-${path.replace(/\W+/g, '-')}` }]
    }),
  )
  const links = entries.map(({ path, method, id }) =>
    h(
      'li',
      {},
      h(
        'a',
        { href: `#${id}` },
        h('span', { class: `method ${method}` }, method),
        h('code', {}, path),
      ),
    ),
  )
  const schemas = Object.keys(document.components.schemas)
  const named = schemas.map((name) => h('li', {}, h('a', { href: `#schema-${name}` }, name)))
  fill(
    page,
    h(
      'header',
      { class: 'intro' },
      h('h1', {}, document.info.title),
      h('p', {}, document.info.description),
      h(
        'p',
        { class: 'muted' },
        'OpenAPI 3.1: ',
        h('a', { href: 'openapi.json' }, 'openapi.json'),
        ' · ',
        h('a', { href: './' }, 'console'),
      ),
      h('p', {}, 'Send ', h('code', {}, 'Authorization: Bearer TOKEN'), ' where a route says so.'),
    ),
    h(
      'nav',
      { class: 'card panel', 'aria-label': 'Contents' },
      h('ul', { class: 'toc' }, ...links),
      h('ul', { class: 'toc names' }, ...named),
    ),
    ...entries.map(({ path, method, operation, id }) => sectionOf(method, path, operation, id)),
    h('h2', { class: 'group' }, 'Schemas'),
    ...schemas.map((name) => schemaOf(document, name)),
  )
  const { hash } = location
  if (hash !== '') page.querySelector(CSS.escape(hash.slice(1)).replace(/^/, '#'))?.scrollIntoView()
}

function sectionOf(
  method: string,
  path: string,
  { summary, security = [], parameters = [], requestBody, responses }: Operation,
  id: string,
): HTMLElement {
  const body = requestBody?.content['application/json']?.schema
  return h(
    'section',
    { class: 'card panel operation', id },
    h('h2', {}, h('span', { class: `method ${method}` }, method), h('code', {}, path)),
    h('p', {}, `${summary}.`),
    h('p', { class: 'muted' }, security.length === 0 ? 'Open to everybody.' : 'Needs a token.'),
    parameters.length > 0 && h('h3', {}, 'Parameters'),
    parameters.length > 0 && parametersOf(parameters),
    body && h('h3', {}, 'Body'),
    body && h('p', {}, typeOf(body)),
    h('h3', {}, 'Answers'),
    h(
      'dl',
      {},
      ...Object.entries(responses).flatMap(([status, { description, content = {} }]) => {
        const [schema] = Object.values(content).map((one) => one.schema)
        const isRefusal = Number(status) >= 400
        return [
          h('dt', { class: isRefusal ? 'refusal' : 'success' }, status),
          h(
            'dd',
            {},
            description,
            !isRefusal && schema !== undefined && ': ',
            !isRefusal && schema !== undefined && typeOf(schema),
          ),
        ]
      }),
    ),
  )
}

const parametersOf = (parameters: readonly Parameter[]): HTMLElement =>
  h(
    'dl',
    {},
    ...parameters.flatMap(({ name, in: place, required = false, schema, description }) => [
      h('dt', {}, h('code', {}, name)),
      h(
        'dd',
        {},
        typeOf(schema),
        h('span', { class: 'muted' }, ` · ${place}${required ? ', required' : ''}`),
        (description ?? schema.description) !== undefined &&
          h('p', {}, description ?? schema.description),
      ),
    ]),
  )

function schemaOf(document: Document, name: string): HTMLElement {
  const schema = document.components.schemas[name] ?? {}
  return h(
    'section',
    { class: 'card panel schema', id: nameIn(name) },
    h('h3', {}, name),
    schema.properties === undefined ? h('p', {}, typeOf(schema)) : rowsOf(schema),
  )
}

const page = document.querySelector<HTMLElement>('#page')
if (page !== null) void draw(page)
