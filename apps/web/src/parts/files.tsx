import { profileOf, type Room } from '@neko-edge/client'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { save } from '../model/save.ts'
import { sizeWords } from '../model/size.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'
import { Panel } from './panel.tsx'
import { Transfers } from './transfers.tsx'

/** The room's transfer directory: what is there, up, down and away. */
export function FilesPanel({ model }: { model: Model }) {
  const text = words.value.files
  const room = model.room.value
  const files = room?.files?.files ?? []
  const isAdmin = model.isAdmin.value
  const mayUpload = model.hasFiles.value && (isAdmin || room?.files?.user_upload === true)
  const isOver = useSignal(false)
  useEffect(() => model.client.files.refresh(), [])
  const upload = (list: FileList | null | undefined) => {
    if (list && list.length > 0 && mayUpload) {
      void model.client.files.upload([...list]).then(() => model.client.files.refresh())
    }
  }
  return (
    <Panel model={model} kind="files" title={text.title} count={files.length}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a place to drop files; the button below does the same */}
      <div
        class="files-body"
        data-over={isOver.value}
        onDragOver={(event) => {
          event.preventDefault()
          isOver.value = mayUpload
        }}
        onDragLeave={() => {
          isOver.value = false
        }}
        onDrop={(event) => {
          event.preventDefault()
          isOver.value = false
          upload(event.dataTransfer?.files)
        }}
      >
        {!model.hasFiles.value && <p class="note muted">{text.locked}</p>}
        {mayUpload && <Upload onFiles={upload} />}
        <Transfers model={model} />
        {model.hasFiles.value && files.length === 0 && <p class="note muted">{text.empty}</p>}
        <ul class="file-list">
          {room && model.hasFiles.value && files.map((file) => <FileRow key={file.name} file={file} room={room} model={model} />)}
        </ul>
        <button type="button" class="quiet refresh" onClick={() => model.client.files.refresh()}>
          <Icon name="refresh" />
          {text.refresh}
        </button>
      </div>
    </Panel>
  )
}

function Upload({ onFiles }: { onFiles: (list: FileList | null) => void }) {
  const input = useRef<HTMLInputElement>(null)
  const text = words.value.files
  return (
    <div class="upload">
      <button type="button" class="primary" onClick={() => input.current?.click()}>
        <Icon name="upload" />
        {text.upload}
      </button>
      <span class="muted wide-only">{text.dropHere}</span>
      <input
        ref={input}
        type="file"
        name="upload"
        multiple
        hidden
        onChange={(event) => {
          onFiles(event.currentTarget.files)
          // The same file may be chosen again.
          event.currentTarget.value = ''
        }}
      />
    </div>
  )
}

type FileItem = NonNullable<NonNullable<Room['files']>['files']>[number]

function FileRow({ file, room, model }: { file: FileItem; room: Room; model: Model }) {
  const text = words.value.files
  const isSure = useSignal(false)
  const isAdmin = profileOf(room)?.is_admin === true
  const { client } = model
  const download = async () => {
    const blob = await client.files.download(file.name)
    if (blob) {
      save(blob, file.name)
    }
  }
  return (
    <li data-file={file.name}>
      <Icon name={file.type === 'dir' ? 'folder' : 'file'} />
      <span class="name">
        <bdi>{file.name}</bdi>
        <span class={isSure.value ? 'note danger' : 'note'} role="status">
          {isSure.value ? text.removeSure(file.name) : file.type === 'dir' ? text.folder : sizeWords(file.size ?? 0)}
        </span>
      </span>
      {file.type === 'file' && !isSure.value && (isAdmin || room.files?.user_download) && (
        <button
          type="button"
          class="quiet square"
          aria-label={text.download(file.name)}
          title={text.download(file.name)}
          onClick={() => void download()}
        >
          <Icon name="download" />
        </button>
      )}
      {file.type === 'file' && (isAdmin || room.files?.user_delete) && (
        <button
          type="button"
          class={isSure.value ? 'danger' : 'quiet square'}
          aria-label={isSure.value ? text.removeSure(file.name) : text.remove(file.name)}
          title={isSure.value ? text.removeSure(file.name) : text.remove(file.name)}
          onBlur={() => {
            isSure.value = false
          }}
          onClick={() => {
            if (isSure.value) {
              model.run(client.files.remove(file.name))
            }
            isSure.value = !isSure.value
          }}
        >
          <Icon name="trash" />
        </button>
      )}
    </li>
  )
}
