import { NekoError } from '@neko-edge/kit'
import { type Received, receiveFiles } from './incoming-files.ts'
import { type EarlyCall, failure, type Guard, operation } from './operation.ts'

const guards: readonly Guard[] = ['session', 'may-upload']
const form = 'multipart/form-data'
const malformed = 'failed to parse multipart form'

/** Files for the application: dropped on it, or chosen in its dialog. */
export const upload = [
  operation({
    method: 'POST',
    path: '/api/room/upload/drop',
    summary: 'Drop files on the picture',
    guards,
    query: { x: 'where, if the form does not say', y: 'where, if the form does not say' },
    upload: { type: form, parts: { x: 'whole pixels from the left', y: 'whole pixels from the top', files: 'one or more files' } },
    fails: { 400: 'dropping is off, or the form is not as it is to be', 500: 'nothing there takes files, or they can not be written' },
    permit: ({ deps }) => need(deps.options.uploadDrop, 'upload drop is disabled'),
    handle: (call) => told(receiveFiles(call, { to: 'desktop', malformed, use: (received) => drop(call, received) })),
  }),
  operation({
    method: 'POST',
    path: '/api/room/upload/dialog',
    summary: 'Choose files in the open dialog of the application',
    guards,
    upload: { type: form, parts: { files: 'one or more files' } },
    fails: { 400: 'dialogs are off, or the form is not as it is to be', 422: 'no dialog is open', 500: 'the dialog does not take them' },
    permit: ({ deps }) => need(deps.options.fileChooserDialog, 'file chooser dialog is disabled'),
    handle: (call) => told(receiveFiles(call, { to: 'desktop', malformed, use: (received) => choose(call, received) })),
  }),
  operation({
    method: 'DELETE',
    path: '/api/room/upload/dialog',
    summary: 'Close the open dialog of the application',
    guards,
    fails: { 400: 'dialogs are off', 422: 'no dialog is open' },
    permit: ({ deps }) => need(deps.options.fileChooserDialog, 'file chooser dialog is disabled'),
    handle: ({ hub }) => hub.node.call('dialog.close', {}).catch(withoutDialog),
  }),
]

function need(isOn: boolean, message: string): undefined {
  if (!isOn) {
    throw new NekoError('invalid', message)
  }
}

/** A failure of the node's disk or application: 500 in upstream, and said in words here. */
export async function told(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work
  } catch (error) {
    if (error instanceof NekoError && error.code === 'internal') {
      return failure(500, error.message)
    }
    throw error
  }
}

async function drop({ hub, context }: EarlyCall, { upload: id, count, fields }: Received): Promise<unknown> {
  const place = (name: 'x' | 'y'): number => {
    const text = fields.get(name) ?? context.req.query(name) ?? ''
    if (!/^[+-]?\d{1,9}$/.test(text)) {
      throw new NekoError('invalid', `no ${name.toUpperCase()} coordinate received`)
    }
    return Number(text)
  }
  const at = { x: place('x'), y: place('y') }
  someFiles(count)
  try {
    return await hub.node.call('upload.drop', { upload: id, ...at })
  } catch (error) {
    throw notTaken(error)
  }
}

async function choose({ hub }: EarlyCall, { upload: id, count }: Received): Promise<unknown> {
  someFiles(count)
  try {
    return await hub.node.call('upload.choose', { upload: id })
  } catch (error) {
    withoutDialog(error)
    throw error
  }
}

function someFiles(count: number): void {
  if (count === 0) {
    throw new NekoError('invalid', 'no files received')
  }
}

function withoutDialog(error: unknown): never {
  if (error instanceof NekoError && error.code === 'notFound') {
    throw new NekoError('unprocessable', 'file chooser dialog is not open', { cause: error })
  }
  throw notTaken(error)
}

/** That the application does not want the files is a failure of the server in upstream's eyes. */
function notTaken(error: unknown): unknown {
  return error instanceof NekoError && error.code === 'unprocessable' ? new NekoError('internal', error.message, { cause: error }) : error
}
