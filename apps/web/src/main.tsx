import { NekoClient } from '@neko-edge/client'
import { render } from 'preact'
import { type Invitation, readInvitation } from './model/address.ts'
import { applyPreferences } from './model/apply.ts'
import { createModel, type Model } from './model/model.ts'
import { remembered } from './model/store.ts'
import { Login, signIn } from './parts/login.tsx'
import { Room } from './parts/room.tsx'
import './style/base.css'
import './style/login.css'
import './style/chat.css'
import './style/files.css'
import './style/notices.css'
import './style/overlays.css'
import './style/people.css'
import './style/room.css'
import './style/settings.css'
import './style/side.css'

function App({ model, invitation }: { model: Model; invitation: Invitation }) {
  const { is } = model.connection.value
  return is === 'signed-out' || is === 'signing-in' ? <Login model={model} invitation={invitation} /> : <Room model={model} />
}

function start(root: HTMLElement): void {
  const { invitation, href } = readInvitation(location.href)
  // A password in the address bar is read over shoulders and stays in the history.
  history.replaceState(null, '', href)
  const client = new NekoClient({ base: new URL('.', document.baseURI).href })
  const model = createModel(client, invitation)
  applyPreferences(model)
  const token = remembered.session()
  client.token.watch((value) => remembered.setSession(value))
  if (invitation.name !== undefined && invitation.password !== undefined) {
    void signIn(model, { name: invitation.name, password: invitation.password })
  } else if (token !== undefined) {
    client.resume(token)
  }
  // Coming back from a phone's pocket or a tunnel: no need to wait for the next try.
  addEventListener('online', () => client.retryNow())
  render(<App model={model} invitation={invitation} />, root)
}

const root = document.getElementById('app')
if (root) {
  start(root)
}
