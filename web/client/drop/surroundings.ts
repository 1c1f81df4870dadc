/** The contract of the queue with what is around it: page, network and clock. */
import type { Item, Stored } from './item.ts'
import type { Listener } from './sender.ts'

/** An upload that was begun before the page was loaded anew. */
export interface Begun
  extends Readonly<Pick<Item, 'fingerprint' | 'name' | 'folder' | 'path' | 'size' | 'type'>> {
  readonly upload: string
}

export interface Surroundings {
  send(item: Item, listener: Listener, signal: AbortSignal): Promise<Stored>
  /** how many bytes of an upload are there, where that can be said now */
  find(upload: string, signal: AbortSignal): Promise<number | 'gone' | undefined>
  /** milliseconds of a clock that only goes on */
  now(): number
  /** calls back after milliseconds, unless what it returns is called before */
  later(milliseconds: number, callback: () => void): () => void
  /** from 0 to below 1 */
  random(): number
  /** something about an item, or about all of them, is different now */
  changed(item: Item | undefined): void
  /** what to keep over a reload about an item; called whenever its upload begins or ends */
  remember(item: Item): void
  /** the resumable upload of an item that was called off */
  forget(upload: string): void
  pinNeeded(code: string): void
}
