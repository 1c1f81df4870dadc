/** Asks the page's own backend where to, then uploads there: to another origin, without a detour. */
const input = document.querySelector('input')
const status = document.querySelector('[role=status]')

input.addEventListener('change', async () => {
  const [file] = input.files
  if (file === undefined) return
  status.textContent = `Sending ${file.name}…`
  status.textContent = await upload(file).catch((error) => `Not sent: ${error.message}`)
})

/** What to tell whoever uploads. */
async function upload(file) {
  const url = await (await fetch('/upload-url', { method: 'POST' })).text()
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'Content-Type': file.type },
    body: file,
  })
  const told = await answer.json()
  if (!answer.ok) throw new Error(told.detail)
  return `Stored ${told.size} bytes as ${told.path}, ETag ${answer.headers.get('ETag')}`
}
