// What nginx needs to check a signature as ours are checked: HMAC-SHA256, in njs.
// biome-ignore lint/style/useNodejsImportProtocol: njs has it under this name only
import crypto from 'crypto'

const SECRET = 'a secret for the benchmark alone'

function verify(request) {
  // this njs can not destructure
  const args = request.args
  const expected = crypto
    .createHmac('sha256', SECRET)
    .update(`${request.uri}\n${args.expires}`)
    .digest('base64url')
  return expected === args.signature && Number(args.expires) > Date.now() / 1000 ? '1' : '0'
}

export default { verify }
