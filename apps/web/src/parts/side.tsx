import type { Model } from '../model/model.ts'
import { ChatPanel } from './chat.tsx'
import { ClipboardPanel } from './clipboard.tsx'
import { FilesPanel } from './files.tsx'
import { People } from './people.tsx'
import { SettingsPanel } from './settings.tsx'

/** The panel that is open beside the picture. */
export function Side({ model }: { model: Model }) {
  switch (model.panel.value) {
    case 'chat':
      return <ChatPanel model={model} />
    case 'people':
      return <People model={model} />
    case 'files':
      return <FilesPanel model={model} />
    case 'clipboard':
      return <ClipboardPanel model={model} />
    case 'settings':
      return <SettingsPanel model={model} />
    default:
      return null
  }
}
