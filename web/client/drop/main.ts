/** The drop page: a place to send files to, for whoever has the link. */
import { askKey } from '../common/ask.ts'
import { h, icon } from '../common/dom.ts'
import { openPage, type Session, showState } from '../common/session.ts'
import { drop } from '../common/texts.ts'
import { Room } from './room.ts'

const page = document.querySelector<HTMLElement>('#page')
// a key that is used up may go on with what it began
if (page !== null) openPage(page, (session) => show(page, session), askKey)

async function show(page: HTMLElement, session: Session): Promise<void> {
  const { methods, paths } = session.facts
  if (methods.includes('PUT') && paths.some((path) => path !== '/')) {
    return new Room(session).open(page)
  }
  document.title = drop.title
  const isForReading = methods.includes('GET')
  const link = h(
    'a',
    { class: 'button primary', href: `share#${session.key}` },
    icon('download'),
    h('span', {}, drop.goToShare),
  )
  const why = methods.includes('PUT') ? drop.noFolder : drop.noWrite
  showState(page, ['upload', 'warn'], why, isForReading ? link : undefined)
}
