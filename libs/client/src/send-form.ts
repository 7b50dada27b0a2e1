import { NekoError } from '@neko-edge/kit'

/** Sends a form and tells how much of it is gone, as a share of 1. Rejects with the server's words. */
export type SendForm = (
  url: string,
  options: { form: FormData; token: string | undefined; signal: AbortSignal; onShare: (share: number | undefined) => void },
) => Promise<void>

/** The only way by which browsers tell the progress of an upload. */
export const sendByXhr: SendForm = (url, { form, token, signal, onShare }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const stop = () => request.abort()
    request.open('POST', url)
    request.withCredentials = true
    if (token !== undefined) {
      request.setRequestHeader('authorization', `Bearer ${token}`)
    }
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => onShare(lengthComputable && total > 0 ? loaded / total : undefined)
    request.onload = () => (request.status < 300 ? resolve() : reject(new NekoError('invalid', saidIn(request))))
    request.onerror = () => reject(new NekoError('unavailable', 'no answer from the server'))
    request.onabort = () => reject(new NekoError('timeout', 'cancelled'))
    signal.addEventListener('abort', stop, { once: true })
    request.onloadend = () => signal.removeEventListener('abort', stop)
    request.send(form)
  })

function saidIn({ status, responseText }: XMLHttpRequest): string {
  try {
    const answer: unknown = JSON.parse(responseText)
    if (typeof answer === 'object' && answer !== null && 'message' in answer) {
      return String(answer.message)
    }
  } catch {
    // A proxy's page: the status says enough.
  }
  return `HTTP ${status}`
}
