import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Group } from '../model/emoji.ts'
import type { Preferences } from '../model/preferences.ts'
import { words } from '../words/words.ts'

/** So many are remembered as used last. */
const mostRecent = 24
/** More of what is looked for says only: look for less. */
const mostFound = 120

/** Every emoji there is, in groups, to look for by name, and those that one used last. Its list is fetched when it is opened. */
export function EmojiPicker({ recent, onInsert }: { recent: Preferences['recentEmoji']; onInsert: (emoji: string) => void }) {
  const text = words.value.emoji
  const list = useSignal<typeof import('../model/emoji.ts') | undefined>(undefined)
  const wanted = useSignal('')
  const group = useSignal<Group | undefined>(recent.peek() === '' ? 'smileys' : undefined)
  useEffect(() => {
    const load = async () => {
      list.value = await import('../model/emoji.ts')
    }
    // Without the server there is no list, nor anybody to write to; opened again, it is asked for again.
    load().catch(() => {})
  }, [list])
  const used = recent.value.split(' ').filter(Boolean)
  const shown = () => {
    if (wanted.value.trim() !== '') {
      return list.value?.findEmoji(wanted.value).slice(0, mostFound) ?? []
    }
    return group.value === undefined ? used.map((emoji) => ({ emoji, names: [emoji] })) : (list.value?.emojiIn(group.value) ?? [])
  }
  const insert = (emoji: string) => {
    recent.value = [emoji, ...used.filter((each) => each !== emoji)].slice(0, mostRecent).join(' ')
    onInsert(emoji)
  }
  const signs = Object.entries(list.value?.groups ?? {}) as [Group, { sign: string }][]
  const groupButton = (name: Group | undefined, sign: string) => (
    <button
      type="button"
      key={name ?? 'recent'}
      class="quiet"
      aria-label={text[name ?? 'recent']}
      title={text[name ?? 'recent']}
      aria-pressed={wanted.value === '' && group.value === name}
      onClick={() => {
        wanted.value = ''
        group.value = name
      }}
    >
      {sign}
    </button>
  )
  return (
    <div class="emoji-picker">
      <input
        type="search"
        aria-label={text.find}
        placeholder={text.find}
        value={wanted.value}
        onInput={(event) => {
          wanted.value = event.currentTarget.value
        }}
      />
      <div class="groups">
        {used.length > 0 && groupButton(undefined, '🕘')}
        {signs.map(([name, { sign }]) => groupButton(name, sign))}
      </div>
      <div class="grid">
        {shown().map(({ emoji, names }) => (
          <button type="button" key={emoji} class="quiet" aria-label={names[0]} title={names[0]} onClick={() => insert(emoji)}>
            {emoji}
          </button>
        ))}
      </div>
    </div>
  )
}
