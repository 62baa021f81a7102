// The command channel: one JSON object a line on stdin, answers and events on stdout.
import { createInterface } from 'node:readline'

process.stdout.on('error', () => process.exit(1)) // the runner is gone

export function say (object) {
  process.stdout.write(JSON.stringify(object) + '\n')
}

export function event (name, fields = {}) {
  say({ event: name, ...fields })
}

// Each command runs on its own, so that several can be under way at once.
export function serve (verbs, onEnd) {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => { void answer(verbs, JSON.parse(line)) })
  lines.on('close', onEnd)
}

async function answer (verbs, command) {
  try {
    const verb = verbs[command.do]
    if (verb == null) throw Object.assign(new Error(`no verb ${command.do}`), { code: 'NO_VERB' })
    say({ id: command.id, ok: (await verb(command)) ?? {} })
  } catch (error) {
    say({ id: command.id, error: { code: errorCode(error), text: errorText(error) } })
  }
}

function errorText (error) {
  const parts = [`${error.name}: ${error.message}`]
  for (const inner of error.errors ?? []) parts.push(errorText(inner))
  if (error.cause != null) parts.push(errorText(error.cause))
  return parts.join('; ')
}

// The names that all client programs share.
function errorCode (error) {
  if (error.code === 'NO_VERB') return error.code
  const text = errorText(error)
  const status = /NO_RESERVATION|CONNECTION_FAILED|RESOURCE_LIMIT_EXCEEDED|PERMISSION_DENIED|RESERVATION_REFUSED|\bE_[A-Z_]+/.exec(text)
  if (status != null) return status[0]
  if (/UnsupportedProtocolError/.test(text)) return 'UNSUPPORTED'
  if (/TimeoutError|AbortError/.test(text)) return 'TIMEOUT'
  return 'OTHER'
}
