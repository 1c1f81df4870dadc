/** The drop page: a place to send files to. */
import { h } from '../common/dom.ts'
import { common } from '../common/texts.ts'

document.querySelector('#page')?.append(h('p', { class: 'muted' }, common.loading))
