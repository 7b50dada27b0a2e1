import { useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Dialog } from './dialog.tsx'
import { Transfers } from './transfers.tsx'

/** The file dialog of the desktop's application, which only the one at the controls can answer. */
export function FileDialog({ model }: { model: Model }) {
  const input = useRef<HTMLInputElement>(null)
  const text = words.value.files
  const room = model.room.value
  if (!room || room.dialog === undefined || room.host !== room.me) {
    return null
  }
  const dismiss = () => model.run(model.client.api.dismissDialog())
  return (
    <Dialog title={text.dialogTitle} onClose={dismiss}>
      <Transfers model={model} />
      <div class="row">
        <button type="button" onClick={dismiss}>
          {words.value.panel.cancel}
        </button>
        <button type="button" class="primary" onClick={() => input.current?.click()}>
          {text.choose}
        </button>
      </div>
      <input
        ref={input}
        type="file"
        name="dialog"
        multiple
        hidden
        onChange={(event) => {
          const { files } = event.currentTarget
          if (files && files.length > 0) {
            void model.client.files.choose([...files])
          }
        }}
      />
    </Dialog>
  )
}
