import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { emotes } from '../model/emotes.ts'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { EmojiPicker } from './emoji-picker.tsx'
import { Icon } from './icons.tsx'

/** As long as a message may be, in characters. */
const longest = 2_000
/** An emote that is held goes on, as in V2. */
const repeatMs = 350

/** Where one writes; Enter sends, Shift+Enter is a line. */
export function Composer({ model }: { model: Model }) {
  const text = words.value.chat
  const field = useRef<HTMLTextAreaElement>(null)
  const draft = useSignal('')
  const showsEmotes = useSignal(false)
  const send = () => {
    const message = draft.value.trim()
    if (message !== '' && model.client.chat.say(message)) {
      draft.value = ''
    }
  }
  const insert = (emoji: string) => {
    draft.value = `${draft.value}${emoji}`.slice(0, longest)
    field.current?.focus()
  }
  return (
    <div class="composer">
      {showsEmotes.value && <Emotes model={model} onInsert={insert} />}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <button
          type="button"
          class="quiet square"
          aria-label={text.emotes}
          title={text.emotes}
          aria-expanded={showsEmotes.value}
          onClick={() => {
            showsEmotes.value = !showsEmotes.value
          }}
        >
          <Icon name="smile" />
        </button>
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          maxLength={longest}
          aria-label={text.placeholder}
          placeholder={text.placeholder}
          value={draft.value}
          onInput={(event) => {
            draft.value = event.currentTarget.value
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
              event.preventDefault()
              send()
            }
          }}
        />
        <button type="submit" class="quiet square send" aria-label={text.send} title={text.send} disabled={draft.value.trim() === ''}>
          <Icon name="send" />
        </button>
      </form>
    </div>
  )
}

function Emotes({ model, onInsert }: { model: Model; onInsert: (emoji: string) => void }) {
  const text = words.value.chat
  const isForPicture = useSignal(true)
  const held = useRef<ReturnType<typeof setInterval> | undefined>(undefined)
  const release = () => clearInterval(held.current)
  const hold = (name: string) => {
    release()
    model.client.chat.emote(name)
    held.current = setInterval(() => model.client.chat.emote(name), repeatMs)
  }
  return (
    <div class="emotes" onPointerUp={release} onPointerCancel={release} onPointerLeave={release}>
      <div
        class="choice"
        role="radiogroup"
        aria-label={text.emotes}
        onKeyDown={(event) => {
          if (event.key.startsWith('Arrow')) {
            event.preventDefault()
            isForPicture.value = !isForPicture.value
            event.currentTarget.querySelector<HTMLElement>('[tabindex="-1"]')?.focus()
          }
        }}
      >
        {[true, false].map((forPicture) => (
          // biome-ignore lint/a11y/useSemanticElements: the choice looks like a pair of buttons, and is read as what it is
          <button
            type="button"
            key={String(forPicture)}
            role="radio"
            aria-checked={isForPicture.value === forPicture}
            tabIndex={isForPicture.value === forPicture ? 0 : -1}
            onClick={() => {
              isForPicture.value = forPicture
            }}
          >
            {forPicture ? text.onPicture : text.inMessage}
          </button>
        ))}
      </div>
      {isForPicture.value ? (
        <div class="grid">
          {Object.entries(emotes).map(([name, emoji]) => (
            <button
              type="button"
              key={name}
              class="quiet"
              aria-label={name}
              title={name}
              data-emote={name}
              onPointerDown={() => hold(name)}
              // By keyboard: no pointer was held.
              onClick={(event) => event.detail === 0 && model.client.chat.emote(name)}
            >
              {emoji}
            </button>
          ))}
        </div>
      ) : (
        <EmojiPicker recent={model.preferences.recentEmoji} onInsert={onInsert} />
      )}
    </div>
  )
}
