/** The reference of the issuer's API, drawn from its own OpenAPI document. */
import { button, fill, h, icon } from '../common/dom.ts'
import type { Document, Operation, Parameter } from './document.ts'
import { aboutOf, nameIn, rowsOf, typeOf } from './types.ts'

const CONTENTS = 'contents'

/** The way back from wherever somebody has been led. */
const back = (): HTMLElement => h('a', { class: 'back', href: `#${CONTENTS}` }, 'Contents')

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

async function draw(page: HTMLElement): Promise<void> {
  fill(page, h('p', { class: 'muted', role: 'status' }, 'Loading…'))
  try {
    const response = await fetch('openapi.json')
    if (!response.ok) throw new TypeError(`status ${response.status}`)
    show(page, await response.json())
  } catch {
    tellFailure(page)
  }
}

/** Nothing came, or nothing that is a document. */
function tellFailure(page: HTMLElement): void {
  const heading = h('h1', { tabindex: -1 }, 'The reference can’t be shown')
  const again = button('Try again', () => void draw(page), { image: 'retry' })
  const link = h('a', { href: 'openapi.json' }, 'openapi.json')
  const notice = h('p', {}, 'The issuer did not answer with what it is made of: ', link, '.')
  fill(
    page,
    heading,
    h('div', { class: 'notice bad', role: 'alert' }, icon('warning'), notice),
    h('p', {}, again),
  )
  heading.focus()
}

function show(page: HTMLElement, document: Document): void {
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
      { class: 'card panel', id: CONTENTS, tabindex: -1, 'aria-label': 'Contents' },
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
    back(),
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
        aboutOf({ ...schema, ...(description !== undefined && { description }) }),
      ),
    ]),
  )

function schemaOf(document: Document, name: string): HTMLElement {
  const schema = document.components.schemas[name] ?? {}
  return h(
    'section',
    { class: 'card panel schema', id: nameIn(name) },
    h('h3', {}, name),
    back(),
    schema.properties === undefined ? h('p', {}, typeOf(schema)) : rowsOf(schema),
  )
}

const page = document.querySelector<HTMLElement>('#page')
if (page !== null) void draw(page)
