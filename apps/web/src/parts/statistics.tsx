import { type Statistics as Numbers, ratesBetween } from '@neko-edge/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'

const everyMs = 1_000

/** The numbers behind the picture, once a second. */
export function Statistics({ model }: { model: Model }) {
  const pair = useSignal<readonly [Numbers, Numbers] | undefined>(undefined)
  useEffect(() => {
    const read = async () => {
      const after = await model.client.statistics()
      pair.value = after && [pair.value?.[1] ?? after, after]
    }
    void read()
    const timer = setInterval(() => void read(), everyMs)
    return () => clearInterval(timer)
  }, [model])
  const text = words.value.statistics
  const path = model.path.value
  const rows = pair.value ? rowsOf(...pair.value) : []
  return (
    <dl class="statistics">
      {[...rows, ['path', path ? words.value.path[path] : '–'] as const].map(([key, value]) => (
        <div key={key}>
          <dt>{text[key]}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function rowsOf(before: Numbers, after: Numbers): [keyof typeof words.value.statistics, string][] {
  const { bitsPerSecond, lossShare } = ratesBetween(before, after)
  return [
    ['picture', `${after.width} × ${after.height}`],
    ['frames', after.framesPerSecond.toFixed(0)],
    ['rate', bitsPerSecond >= 1e6 ? `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s` : `${(bitsPerSecond / 1e3).toFixed(0)} kbit/s`],
    ['loss', `${(100 * lossShare).toFixed(1)} %`],
    ['roundTrip', after.roundTripMs === undefined ? '–' : `${after.roundTripMs.toFixed(0)} ms`],
    ['buffer', `${after.bufferMs.toFixed(0)} ms`],
    ['codec', after.codec || '–'],
  ]
}
