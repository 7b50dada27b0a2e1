import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

/** Sound on and off, and how loud. */
export function Sound({ model }: { model: Model }) {
  const text = words.value.sound
  const isMuted = model.isMuted.value || model.volume.value === 0
  return (
    <div class="sound">
      <button
        type="button"
        class="quiet square"
        aria-label={isMuted ? text.unmute : text.mute}
        title={isMuted ? text.unmute : text.mute}
        onClick={() => {
          model.isSoundBlocked.value = false
          model.isMuted.value = !isMuted
          if (isMuted && model.volume.value === 0) {
            model.volume.value = 1
          }
        }}
      >
        <Icon name={isMuted ? 'muted' : 'sound'} />
      </button>
      <input
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label={text.volume}
        value={isMuted ? 0 : model.volume.value}
        onInput={(event) => {
          model.volume.value = event.currentTarget.valueAsNumber
          model.isMuted.value = false
          model.isSoundBlocked.value = false
        }}
      />
    </div>
  )
}
