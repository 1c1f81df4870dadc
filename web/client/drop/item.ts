/** One file on its way: the states it can be in, and what leads from one to another. */
import type { Objection } from './limits.ts'

/**
 * - chosen: listed, nothing is sent before the person says so
 * - interrupted: known from before a reload; its file is not at hand
 * - refused: would not be let in, so it is never sent
 */
export type State =
  | 'chosen'
  | 'interrupted'
  | 'refused'
  | 'waiting'
  | 'uploading'
  | 'paused'
  | 'retrying'
  | 'done'
  | 'failed'
  | 'cancelled'

/** `hold`: nothing is wrong with the file, but nothing may be sent now. */
export type Event =
  | 'send'
  | 'start'
  | 'hold'
  | 'pause'
  | 'resume'
  | 'stumble'
  | 'fail'
  | 'finish'
  | 'cancel'

const NEXT: { readonly [S in State]: Readonly<Partial<Record<Event, State>>> } = {
  chosen: { send: 'waiting', cancel: 'cancelled' },
  interrupted: { resume: 'waiting', cancel: 'cancelled' },
  refused: { cancel: 'cancelled' },
  waiting: { start: 'uploading', pause: 'paused', fail: 'failed', cancel: 'cancelled' },
  uploading: {
    finish: 'done',
    hold: 'waiting',
    pause: 'paused',
    stumble: 'retrying',
    fail: 'failed',
    cancel: 'cancelled',
  },
  retrying: { resume: 'waiting', pause: 'paused', fail: 'failed', cancel: 'cancelled' },
  paused: { resume: 'waiting', fail: 'failed', cancel: 'cancelled' },
  failed: { resume: 'waiting', cancel: 'cancelled' },
  done: {},
  cancelled: {},
}

/** Undefined where the event means nothing in that state. */
export const nextState = (state: State, event: Event): State | undefined => NEXT[state][event]

/** Whether something will still happen to it, or has. */
export const isPending = (state: State): boolean =>
  state === 'waiting' || state === 'uploading' || state === 'retrying' || state === 'paused'

/** Bytes that can be read piece by piece: a File, where there is one. */
export interface Source {
  readonly name: string
  /** bytes */
  readonly size: number
  readonly type: string
  /** Unix milliseconds */
  readonly lastModified: number
  slice(start: number, end: number): Blob
}

/** What the gateway said of what it keeps now. */
export interface Stored {
  /** the path of the object, bucket first */
  readonly path: string
  readonly size: number
  /** lower-case hex; undefined where the answer that held it was lost */
  readonly sha256: string | undefined
}

/** Why a file is not there: a code of the gateway's refusals, or one of ours. */
export type Problem = Objection | { readonly code: string; readonly detail?: string | undefined }

export interface Item {
  readonly id: number
  /** what the same file has after a reload, too */
  readonly fingerprint: string
  /** as it was chosen, its folders included */
  readonly name: string
  /** what it goes into, with a slash at its end; undefined where it can go to one place only */
  readonly folder: string | undefined
  /** where it goes; changes where the name is taken */
  path: string
  readonly size: number
  readonly type: string
  source: Source | undefined
  state: State
  /** bytes that were handed to the network, of `size`; some may not have come through */
  sent: number
  /** bytes that the server said it has */
  kept: number
  /** tries that failed since the server last had more */
  attempts: number
  /** when it is tried again, on the clock of the queue */
  retryAt: number | undefined
  /** the resumable upload that holds what was sent */
  upload: string | undefined
  problem: Problem | undefined
  stored: Stored | undefined
}

/** What is so of every item at first. */
export const FRESH = {
  source: undefined,
  state: 'chosen' as State,
  sent: 0,
  kept: 0,
  attempts: 0,
  retryAt: undefined,
  upload: undefined,
  problem: undefined,
  stored: undefined,
}

/** What tells one file from another without reading it; not its content, which may have changed. */
export const fingerprintOf = (name: string, { size, lastModified }: Source): string =>
  `${size}-${lastModified}-${name}`
