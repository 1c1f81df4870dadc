/** Whoever comes later takes over, however many come at once, and nobody is left waiting. */
import { expect, it } from 'vitest'
import { Resuming } from '../../../gateway/resuming.ts'

it('lets one send at a time, the newest last', async () => {
  const resuming = new Resuming()
  const order: string[] = []
  let sending = 0
  const send = async (name: string): Promise<void> => {
    const { signal, end } = await resuming.begin('upload')
    sending += 1
    expect(sending).toBe(1)
    if (name !== 'last' && !signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    }
    order.push(name)
    sending -= 1
    end()
  }
  const all = ['first', 'second', 'third', 'last'].map(send)
  await Promise.all(all)
  expect(order).toEqual(['first', 'second', 'third', 'last'])
  await resuming.interrupt('upload')
})

it('keeps uploads apart', async () => {
  const resuming = new Resuming()
  const one = await resuming.begin('one')
  const other = await resuming.begin('other')
  const interrupted = resuming.interrupt('other')
  expect([one.signal.aborted, other.signal.aborted]).toEqual([false, true])
  other.end()
  await interrupted
  one.end()
})
