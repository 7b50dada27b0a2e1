import { profileOf } from '@neko-edge/client'
import type { TouchMode } from '@neko-edge/client/view'
import { type Signal, useSignal } from '@preact/signals'
import { layouts } from '../model/layouts.ts'
import type { Model } from '../model/model.ts'
import type { Theme } from '../model/preferences.ts'
import { remembered } from '../model/store.ts'
import { languages } from '../words/languages.ts'
import { words } from '../words/words.ts'
import { AdminSettings } from './admin.tsx'
import { Choice, Section, Switch } from './fields.tsx'
import { Panel } from './panel.tsx'

/** What one likes, and for administrators what the room is. */
export function SettingsPanel({ model }: { model: Model }) {
  const text = words.value.settings
  return (
    <Panel model={model} kind="settings" title={text.title}>
      <div class="settings-body">
        {model.isAdmin.value && <AdminSettings model={model} />}
        <Section title={text.you}>
          <Rename model={model} />
        </Section>
        <InputSettings model={model} />
        <PageSettings model={model} />
      </div>
    </Panel>
  )
}

function Rename({ model }: { model: Model }) {
  const room = model.room.value
  const name = useSignal(room ? (profileOf(room)?.name ?? '') : '')
  const submit = (event: Event) => {
    event.preventDefault()
    const wanted = name.value.trim()
    if (wanted !== '') {
      remembered.setName(wanted)
      model.run(model.client.api.renameSelf(wanted))
    }
  }
  return (
    <form class="inline-form" onSubmit={submit}>
      <input
        name="displayname"
        aria-label={words.value.login.name}
        maxLength={100}
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value
        }}
      />
      <button type="submit">{words.value.settings.rename}</button>
    </form>
  )
}

/** A switch of this browser's own. */
function Toggle({ label, name, signal }: { label: string; name: string; signal: Signal<boolean> }) {
  return (
    <Switch
      label={label}
      name={name}
      isOn={signal.value}
      onChange={(isOn) => {
        signal.value = isOn
      }}
    />
  )
}

function InputSettings({ model }: { model: Model }) {
  const text = words.value.settings
  const { scrollSpeed, invertScroll, touchMode, layout } = model.preferences
  return (
    <Section title={text.input}>
      <Toggle label={words.value.control.localLock} name="local-lock" signal={model.isInputLocked} />
      <Choice
        label={text.layout}
        name="layout"
        value={layout.value}
        options={[['auto', text.layoutAuto], ...layouts]}
        onChange={(value) => {
          layout.value = value
        }}
      />
      <label class="choice-field">
        <span>{text.scrollSpeed}</span>
        <input
          type="range"
          name="scroll"
          min="0.1"
          max="5"
          step="0.1"
          value={scrollSpeed.value}
          onInput={(event) => {
            scrollSpeed.value = event.currentTarget.valueAsNumber
          }}
        />
      </label>
      <Toggle label={text.invertScroll} name="invert" signal={invertScroll} />
      <Choice
        label={text.touch}
        name="touch"
        value={touchMode.value}
        options={[
          ['auto', words.value.view.automatic],
          ['mouse', text.touchMouse],
          ['trackpad', text.touchTrackpad],
          ...(model.room.value?.touch ? [['native', text.touchNative] as const] : []),
        ]}
        onChange={(value) => {
          // The options above are the modes.
          touchMode.value = value as TouchMode
        }}
      />
    </Section>
  )
}

function PageSettings({ model }: { model: Model }) {
  const text = words.value.settings
  const { autoplay, hasSounds, language, showsEmotes, theme } = model.preferences
  const names = Object.entries(languages).map(([code, { name }]) => [code, name] as const)
  return (
    <Section title={text.page}>
      <Choice
        label={text.language}
        name="language"
        value={language.value}
        options={[['auto', text.automatic], ...names]}
        onChange={(value) => {
          language.value = value
        }}
      />
      <Choice
        label={text.theme}
        name="theme"
        value={theme.value}
        options={[
          ['auto', text.automatic],
          ['light', text.light],
          ['dark', text.dark],
        ]}
        onChange={(value) => {
          // The options above are the themes.
          theme.value = value as Theme
        }}
      />
      <Toggle label={text.autoplay} name="autoplay" signal={autoplay} />
      <Toggle label={text.sounds} name="sounds" signal={hasSounds} />
      <Toggle label={text.emotes} name="emotes" signal={showsEmotes} />
    </Section>
  )
}
