import { render } from 'preact'
import { type Invitation, readInvitation } from './model/address.ts'
import { applyPreferences } from './model/apply.ts'
import { Door } from './model/door.ts'
import { createPreferences } from './model/preferences.ts'
import { remembered } from './model/store.ts'
import { Login } from './parts/login.tsx'
import { words } from './words/words.ts'
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

function App({ door, invitation }: { door: Door; invitation: Invitation }) {
  const { is } = door.connection.value
  const inside = door.inside.value
  if (is === 'signed-out' || is === 'signing-in') {
    return <Login door={door} invitation={invitation} />
  }
  return inside ? <inside.Room model={inside.model} /> : <Waiting />
}

/** A reload of a signed-in page, until the room is here. */
function Waiting() {
  return (
    <main class="login">
      <span class="spinner" role="img" aria-label={words.value.state.joining} />
    </main>
  )
}

function start(root: HTMLElement): void {
  const { invitation, href } = readInvitation(location.href)
  // A password or a join link in the address bar is read over shoulders and stays in the history.
  history.replaceState(null, '', href)
  const preferences = createPreferences()
  applyPreferences(preferences, invitation)
  const door = new Door({ preferences, invitation })
  const token = remembered.session()
  if (invitation.link !== undefined) {
    void door.enter(invitation.link)
  } else if (invitation.name !== undefined && invitation.password !== undefined) {
    void door.signIn({ name: invitation.name, password: invitation.password })
  } else if (token !== undefined) {
    void door.resume(token)
  } else {
    // In the first frame there is only the login page; what comes after it is fetched from then on.
    requestAnimationFrame(() => setTimeout(() => void door.load()))
  }
  render(<App door={door} invitation={invitation} />, root)
}

const root = document.getElementById('app')
if (root) {
  start(root)
}
