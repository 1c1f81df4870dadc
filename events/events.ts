/**
 * The contract of events: what is told to whom. Documented, no logic.
 *
 * Events are read from the audit, which has every change on the disk before it is acknowledged; so
 * telling of them costs a request nothing, and none is lost with the process that made it. Each is
 * told to each target at least once.
 */
export const EVENT_TYPES = [
  'upload.finished',
  'object.deleted',
  'key.used_up',
  'key.refused_repeatedly',
] as const
export type EventType = (typeof EVENT_TYPES)[number]

export interface Event {
  /** the same whenever it is told: who has seen it has no more to do */
  readonly id: string
  readonly type: EventType
  /** RFC 3339 */
  readonly time: string
  /** the object, as in a URL, or the id of the key */
  readonly subject: string
  readonly data: Readonly<Record<string, unknown>>
}

/** An event that a target has yet to hear of. */
export interface Delivery {
  readonly event: Event
  /** the target's name */
  readonly target: string
  /** how often it was tried */
  readonly attempts: number
  /** when it is tried next, in milliseconds since 1970; absent: given up */
  readonly next?: number
  readonly error?: string
}

/** Somebody who is told. @throws Error that says why it did not work */
export interface Target {
  readonly name: string
  readonly types: readonly EventType[]
  tell(event: Event): Promise<void>
}
