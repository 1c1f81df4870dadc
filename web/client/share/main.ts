/** The share page: what a key shows, to look at and to take along. */
import { openPage } from '../common/session.ts'
import { Share } from './share.ts'

const page = document.querySelector<HTMLElement>('#page')
if (page !== null) openPage(page, (session) => new Share(page, session).open())
