import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'
import { Icon } from './icons.tsx'

/** Files on their way, and those that did not arrive. */
export function Transfers({ model }: { model: Model }) {
  const text = words.value.files
  return (
    <ul class="transfers">
      {model.transfers.value.map(({ key, name, way, share, failure }) => (
        <li key={key} data-transfer={name} data-failed={failure !== undefined}>
          <Icon name={way === 'up' ? 'upload' : 'download'} />
          <span class="name">
            <bdi>{name}</bdi>
            {failure === undefined ? (
              <progress {...(share !== undefined && { value: share })} aria-label={name} />
            ) : (
              <span class="note">{failure}</span>
            )}
          </span>
          <button
            type="button"
            class="quiet square"
            aria-label={text.cancel(name)}
            title={text.cancel(name)}
            onClick={() => model.client.files.cancel(key)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  )
}
