declare module 'range-parser' {
  /** Inclusive ranges; -1 for none satisfiable, -2 for a header that is malformed. */
  export default function parseRange(
    size: number,
    header: string,
  ): readonly { readonly start: number; readonly end: number }[] | -1 | -2
}
