import { useEffect, useRef } from 'preact/hooks'
import { emotes } from '../model/emotes.ts'
import type { Model } from '../model/model.ts'

const flightMs = 2_600
/** Emotes that fly at once: a hundred people who clap must not stop the picture. */
const most = 60

/** Emotes that rise over the picture. Who wants less motion sees them stand and fade. */
export function EmoteRain({ model }: { model: Model }) {
  const sky = useRef<HTMLDivElement>(null)
  useEffect(
    () =>
      model.client.chat.onEmote(({ from, name }) => {
        const element = sky.current
        const isWanted = model.preferences.showsEmotes.value && !model.ignored.value.has(from) && !document.hidden
        if (element && isWanted && Object.hasOwn(emotes, name) && element.childElementCount < most) {
          fly(element, { emoji: emotes[name] ?? '', name })
        }
      }),
    [model],
  )
  return <div class="emote-rain" ref={sky} aria-hidden="true" />
}

function fly(sky: HTMLElement, { emoji, name }: { emoji: string; name: string }): void {
  const drop = document.createElement('span')
  drop.textContent = emoji
  drop.dataset['emote'] = name
  drop.style.left = `${8 + Math.random() * 84}%`
  sky.append(drop)
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
  const rise = isCalm ? 0 : sky.clientHeight * (0.45 + Math.random() * 0.35)
  const sway = isCalm ? 0 : (Math.random() - 0.5) * 120
  const frames = [
    { transform: 'translate(-50%, 0) scale(0.6)', opacity: 0 },
    { transform: `translate(calc(-50% + ${sway / 3}px), ${-rise / 4}px) scale(1)`, opacity: 1, offset: 0.15 },
    { transform: `translate(calc(-50% + ${sway}px), ${-rise}px) scale(1.1)`, opacity: 0 },
  ]
  drop.animate(frames, { duration: flightMs, easing: 'ease-out' }).onfinish = () => drop.remove()
}
