import type { Connection } from '@neko-edge/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Model } from '../model/model.ts'
import { words } from '../words/words.ts'

/** What keeps the picture away, and what can be done about it; nothing while the picture is live. */
export function Overlay({ model }: { model: Model }) {
  const connection = model.connection.value
  if (connection.is === 'live' || connection.is === 'signed-out' || connection.is === 'signing-in') {
    return null
  }
  return (
    <div class="overlay" role="status" data-trouble={'trouble' in connection ? connection.trouble?.code : undefined}>
      <div class="card">
        <Message connection={connection} />
        <Remedy model={model} connection={connection} />
      </div>
    </div>
  )
}

function Message({ connection }: { connection: Connection }) {
  const { overlay, trouble } = words.value
  if ('trouble' in connection && connection.trouble) {
    const said = trouble[connection.trouble.code]
    return (
      <>
        {connection.is === 'reconnecting' && <span class="spinner" aria-hidden="true" />}
        <h2>{said.says}</h2>
        <p>{said.remedy}</p>
        {connection.trouble.detail && (
          <details>
            <summary>{overlay.details}</summary>
            <code>{connection.trouble.detail}</code>
          </details>
        )}
      </>
    )
  }
  const isJoining = connection.is === 'joining'
  return (
    <>
      <span class="spinner" aria-hidden="true" />
      <h2>{isJoining ? overlay.joining : overlay.loading}</h2>
      <p>{isJoining ? overlay.joiningHint : overlay.loadingHint}</p>
    </>
  )
}

function Remedy({ model, connection }: { model: Model; connection: Connection }) {
  const { overlay } = words.value
  if (connection.is === 'reconnecting') {
    return (
      <div class="row">
        <Countdown until={connection.retryAt} />
        {connection.retryAt !== undefined && (
          <button type="button" onClick={() => model.client.retryNow()}>
            {overlay.retryNow}
          </button>
        )}
      </div>
    )
  }
  if (connection.is !== 'dismissed') {
    return null
  }
  const isReplaced = connection.trouble.code === 'replaced'
  const signOut = () => {
    void model.client.logout()
  }
  return (
    <div class="row">
      {isReplaced && (
        <button type="button" class="primary" onClick={() => model.client.rejoin()}>
          {overlay.useHere}
        </button>
      )}
      {!isReplaced && (
        <button type="button" class="primary" onClick={signOut}>
          {overlay.signIn}
        </button>
      )}
    </div>
  )
}

function Countdown({ until }: { until: number | undefined }) {
  const now = useSignal(Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now()
    }, 500)
    return () => clearInterval(timer)
  }, [])
  const { overlay } = words.value
  const seconds = until === undefined ? 0 : Math.ceil((until - now.value) / 1000)
  return <span class="muted">{seconds > 0 ? overlay.retryIn(seconds) : overlay.retrying}</span>
}
