/** Asks for the PIN over the page, which stays as it is. */
import { button, h } from '../common/dom.ts'
import { pinForm } from '../common/session.ts'
import { common } from '../common/texts.ts'

/** Whether the gateway took a PIN; false where the dialog was closed without. */
export const pinDialog = (key: string): Promise<boolean> =>
  new Promise((resolve) => {
    const title = h('h2', { id: 'pin-title' }, common.pinTitle)
    let isProven = false
    const form = pinForm(key, () => {
      isProven = true
      dialog.close()
    })
    const dialog = h('dialog', { class: 'card pin', 'aria-labelledby': 'pin-title' }, title, form)
    form.append(button(common.cancel, () => dialog.close()))
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(isProven)
    })
    document.body.append(dialog)
    dialog.showModal()
  })
