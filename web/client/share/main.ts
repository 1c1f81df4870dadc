/** The share page: what a key shows, to look at and to take along. */
import { h } from '../common/dom.ts'
import { common } from '../common/texts.ts'

document.querySelector('#page')?.append(h('p', { class: 'muted' }, common.loading))
