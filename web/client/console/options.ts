/** How each option of a key is asked for. Those that are not named here are asked for as a text. */

/** As the OpenAPI document has it. */
export interface Option {
  readonly type?: string
  readonly description?: string
  readonly anyOf?: readonly Option[]
  readonly enum?: readonly string[]
}

type Kind = 'text' | 'choice' | 'list' | 'number' | 'switch' | 'lines' | 'moment'

interface Asked {
  readonly kind: Kind
  readonly placeholder?: string
}

const ASKED: Readonly<Record<string, Asked>> = {
  methods: { kind: 'list', placeholder: 'GET, LIST' },
  expires: { kind: 'text', placeholder: '2026-12-31T00:00:00Z' },
  burst: { kind: 'number' },
  requests: { kind: 'number' },
  path: { kind: 'list', placeholder: 'photos/cat.jpg' },
  expiresIn: { kind: 'text', placeholder: '15m, 12h, 7d' },
  subject: { kind: 'text', placeholder: 'ann' },
  uses: { kind: 'number', placeholder: '∞' },
  notBefore: { kind: 'text', placeholder: '2026-12-01T18:00:00Z' },
  maxSize: { kind: 'text', placeholder: '10MiB' },
  minSize: { kind: 'text', placeholder: '1KiB' },
  types: { kind: 'list', placeholder: 'image/*, application/pdf' },
  sha256: { kind: 'text' },
  overwrite: { kind: 'switch' },
  match: { kind: 'text', placeholder: '*.csv' },
  ip: { kind: 'list', placeholder: '10.0.0.0/8' },
  origins: { kind: 'list', placeholder: 'https://app.example.com' },
  headers: { kind: 'lines', placeholder: 'X-Team: blue' },
  tls: { kind: 'switch' },
  attachment: { kind: 'text', placeholder: 'q3.pdf' },
  inline: { kind: 'switch' },
  ttl: { kind: 'text', placeholder: '7d' },
  id: { kind: 'text', placeholder: 'invoice-17' },
  message: { kind: 'text' },
  bytes: { kind: 'text', placeholder: '1GiB' },
  files: { kind: 'number' },
  rate: { kind: 'text', placeholder: '1MiB' },
}

const kindOf = ({ type, enum: words }: Option): Kind => {
  if (words !== undefined) return 'choice'
  return type === 'boolean' ? 'switch' : 'text'
}

/** @param option what the document says, of one that is not known here */
export const optionOf = (name: string, option: Option): Asked =>
  ASKED[name] ?? { kind: kindOf(option) }

const parts = (value: string, by: RegExp): string[] =>
  value
    .split(by)
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** What a person wrote, as the API takes it: it says itself what is wrong. */
export const READERS: { readonly [K in Kind]: (value: string) => unknown } = {
  text: (value) => value,
  choice: (value) => value,
  moment: (value) => value,
  list: (value) => {
    const all = parts(value, /[,\n]/)
    return all.length === 1 ? all[0] : all
  },
  lines: (value) => parts(value, /\n/),
  number: (value) => (/^\d{1,15}$/.test(value) ? Number(value) : value),
  switch: () => true,
}
