import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'

const { storage, folder, key } = await (await fetch('/key', { method: 'POST' })).json()
const uppy = new Uppy({ autoProceed: true })

// The key stands in the URL, so that a preflight shows it: the gateway answers from what it says.
if (new URLSearchParams(location.search).get('with') === 'aws-s3') {
  uppy.use(AwsS3, {
    shouldUseMultipart: false,
    getUploadParameters: ({ name, type }) => ({
      method: 'PUT',
      url: `${storage}/${folder}${encodeURIComponent(name)}?vk=${key}`,
      headers: { 'Content-Type': type },
    }),
  })
} else {
  uppy.use(Tus, {
    endpoint: `${storage}/-/tus/?vk=${key}`,
    chunkSize: 5 << 20,
    removeFingerprintOnSuccess: true,
  })
}

const list = document.querySelector('[role=status]')
const say = (text) =>
  list.append(Object.assign(document.createElement('li'), { textContent: text }))
uppy.on('upload-success', (file) => say(`Stored ${file.name}`))
uppy.on('upload-error', (file, error) => say(`Not sent: ${file.name}: ${error.message}`))

document.querySelector('input').addEventListener('change', ({ target }) => {
  for (const file of target.files) uppy.addFile({ name: file.name, type: file.type, data: file })
})
