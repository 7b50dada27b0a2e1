import { type ChatLine, isMuted, isPermitted } from '@neko-edge/client'
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { mayOpenLinks } from '../model/links.ts'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Composer } from './composer.tsx'
import { Icon } from './icons.tsx'
import { Message } from './message.tsx'
import { Panel } from './panel.tsx'

/** As near to its end as this, in pixels, the log follows what comes. */
const nearPx = 40

/** What is said in the room, and what happens in it. */
export function ChatPanel({ model }: { model: Model }) {
  const text = words.value.chat
  const room = model.room.value
  const why = !room || isPermitted(room, 'chat.can_send') ? undefined : isMuted(room, room.me) ? text.mutedYou : text.off
  return (
    <Panel model={model} kind="chat" title={text.title}>
      <Log model={model} />
      {room?.canChat === false || why ? <p class="note muted">{why ?? text.off}</p> : <Composer model={model} />}
    </Panel>
  )
}

function Log({ model }: { model: Model }) {
  const log = useRef<HTMLDivElement>(null)
  const isAtEnd = useSignal(true)
  /** Of the log, in pixels, when it was last put in order. */
  const height = useRef(0)
  const text = words.value.chat
  const lines = model.lines.value.filter((line) => line.is !== 'said' || !model.ignored.value.has(line.from))
  const toEnd = () => {
    const element = log.current
    if (element) {
      element.scrollTop = element.scrollHeight
    }
  }
  useLayoutEffect(() => {
    if (isAtEnd.peek() || (lines.at(-1)?.is === 'said' && isMine(lines.at(-1)))) {
      toEnd()
    }
  }, [lines.at(-1)?.key])
  useEffect(() => {
    const element = log.current
    // The panel changes its height with the window and the composer; the end stays in sight.
    const resized = new ResizeObserver(() => {
      height.current = element?.clientHeight ?? 0
      if (isAtEnd.peek()) {
        toEnd()
      }
    })
    if (element) {
      resized.observe(element)
    }
    return () => resized.disconnect()
  }, [])
  const onScroll = () => {
    const element = log.current
    // News of an earlier scroll may come between a change of the height and its observer: nobody has scrolled then.
    if (element?.clientHeight === height.current) {
      isAtEnd.value = element.scrollHeight - element.scrollTop - element.clientHeight < nearPx
    }
  }
  return (
    <div class="log-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable with the keyboard (WCAG 2.1.1) */}
      <div class="log" ref={log} role="log" aria-label={text.title} tabIndex={0} onScroll={onScroll}>
        {lines.length === 0 && <p class="muted empty">{text.empty}</p>}
        {lines.map((line, index) => (
          <Line key={line.key} line={line} before={lines[index - 1]} model={model} />
        ))}
      </div>
      {!isAtEnd.value && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" />
          {text.newMessages}
        </button>
      )}
    </div>
  )
}

const isMine = (line: ChatLine | undefined) => line?.is === 'said' && line.isMine

/** What one person says in a row within this time stands under one name, in milliseconds. */
const togetherMs = 120_000

function Line({ line, before, model }: { line: ChatLine; before: ChatLine | undefined; model: Model }) {
  if (line.is !== 'said') {
    return <p class="event muted">{wordsOf(line)}</p>
  }
  const goesOn = before?.is === 'said' && before.from === line.from && line.at - before.at < togetherMs
  const onOpen = mayOpenLinks(model.room.value) ? (href: string) => model.run(model.client.api.openLink(href)) : undefined
  return (
    <div class="said" data-mine={line.isMine} data-from={line.from}>
      {!goesOn && (
        <p class="by">
          <bdi>{line.name || words.value.people.unnamed}</bdi>
          <time class="muted" dateTime={new Date(line.at).toISOString()}>
            {new Date(line.at).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' })}
          </time>
        </p>
      )}
      <div class="text" dir="auto">
        <Message text={line.text} onOpen={onOpen} />
      </div>
    </div>
  )
}

function wordsOf(line: Exclude<ChatLine, { is: 'said' }>): string {
  const { chat, control, people } = words.value
  switch (line.is) {
    case 'host':
      return line.has ? control.tookIt(line.name || people.unnamed) : control.released(line.name || people.unnamed)
    case 'lock':
      return (line.isLocked ? chat.locked : chat.unlocked)[line.lock](line.name || people.unnamed)
    case 'screen':
      return chat.resolution(line.name || people.unnamed, `${line.screen.width} × ${line.screen.height} · ${line.screen.rate} Hz`)
    case 'mute':
      return (line.isMuted ? chat.muted : chat.unmuted)(line.name || people.unnamed)
    case 'crowd': {
      const { came, left } = line
      const one = (names: readonly string[], single: (name: string) => string, many: (count: number) => string) =>
        names.length === 0 ? [] : names.length === 1 ? [single(names[0] || people.unnamed)] : [many(names.length)]
      return [...one(came, chat.came, chat.manyCame), ...one(left, chat.left, chat.manyLeft)].join(' · ')
    }
  }
}
