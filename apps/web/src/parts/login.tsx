import type { Connection, Trouble } from '@neko-edge/client'
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Invitation } from '../model/address.ts'
import type { Door } from '../model/door.ts'
import { remembered } from '../model/store.ts'
import { words } from '../words/words.ts'
import { Icon, Mark } from './icons.tsx'

/** Coming in: a name and a password, and every refusal with what to do about it. */
export function Login({ door, invitation }: { door: Door; invitation: Invitation }) {
  const text = words.value
  const name = useSignal(invitation.name ?? remembered.name())
  const password = useSignal(invitation.password ?? '')
  const showsPassword = useSignal(false)
  const isMissingName = useSignal(false)
  const connection = door.connection.value
  const isBusy = connection.is === 'signing-in'
  const wait = useWait(connection.is === 'signed-out' ? connection.trouble : undefined)
  const trouble = connection.is === 'signed-out' ? connection.trouble : undefined
  const isInvited = invitation.password !== undefined && trouble?.code !== 'wrong-password'

  const join = (event: Event) => {
    event.preventDefault()
    isMissingName.value = name.value.trim() === ''
    if (!isMissingName.value && !isBusy && wait === 0) {
      void door.signIn({ name: name.value.trim(), password: password.value })
    }
  }

  return (
    <main class="login" data-state={connection.is}>
      <form class="card" onSubmit={join} noValidate>
        <Mark />
        <h1>{text.login.title}</h1>
        {isInvited && <p class="muted">{text.login.invited}</p>}
        <label class="field">
          <span>{text.login.name}</span>
          <input
            name="username"
            autocomplete="username"
            maxLength={100}
            value={name.value}
            autofocus={name.value === ''}
            aria-invalid={isMissingName.value}
            onInput={(event) => {
              name.value = event.currentTarget.value
            }}
          />
        </label>
        {!isInvited && (
          <label class="field">
            <span>{text.login.password}</span>
            <span class="with-button">
              <PasswordInput password={password} isShown={showsPassword.value} isFirst={name.value !== ''} />
              <button
                type="button"
                class="quiet square"
                aria-label={showsPassword.value ? text.login.hidePassword : text.login.showPassword}
                aria-pressed={showsPassword.value}
                onClick={() => {
                  showsPassword.value = !showsPassword.value
                }}
              >
                <Icon name="eye" />
              </button>
            </span>
          </label>
        )}
        <Refusal connection={connection} isMissingName={isMissingName.value} />
        <button type="submit" class="primary wide" disabled={isBusy || wait > 0}>
          {isBusy ? text.login.joining : wait > 0 ? text.login.waitFor(wait) : text.login.join}
        </button>
      </form>
    </main>
  )
}

/** Seconds until the server takes another try, counting down. */
function useWait(trouble: Trouble | undefined): number {
  const left = useSignal(0)
  useEffect(() => {
    const until = performance.now() + 1000 * (trouble?.waitSeconds ?? 0)
    const count = () => {
      left.value = Math.max(0, Math.ceil((until - performance.now()) / 1000))
    }
    count()
    const timer = setInterval(() => left.peek() > 0 && count(), 500)
    return () => clearInterval(timer)
  }, [trouble])
  return left.value
}

function PasswordInput({ password, isShown, isFirst }: { password: Signal<string>; isShown: boolean; isFirst: boolean }) {
  const common = {
    name: 'password',
    autocomplete: 'current-password',
    value: password.value,
    autofocus: isFirst,
    onInput: (event: { currentTarget: HTMLInputElement }) => {
      password.value = event.currentTarget.value
    },
  } as const
  return isShown ? <input type="text" {...common} /> : <input type="password" {...common} />
}

function Refusal({ connection, isMissingName }: { connection: Connection; isMissingName: boolean }) {
  const trouble = connection.is === 'signed-out' ? connection.trouble : undefined
  const said = trouble && words.value.trouble[trouble.code]
  return (
    <div role="alert" class="refusals" data-trouble={trouble?.code}>
      {isMissingName && <p class="refusal">{words.value.login.nameMissing}</p>}
      {!isMissingName && said && (
        <p class={trouble.code === 'signed-out' ? 'refusal calm' : 'refusal'}>
          <strong>{said.says}</strong> {said.remedy}
        </p>
      )}
    </div>
  )
}
