import type { ComponentChildren } from 'preact'

interface SwitchOptions {
  label: string
  isOn: boolean
  onChange: (isOn: boolean) => void
  /** What tests and people's scripts find it by. */
  name?: string
  note?: string | undefined
  isDisabled?: boolean
}

/** A switch that shows what is, not what was clicked: where the server decides, it moves when the server says so. */
export function Switch({ label, isOn, onChange, name, note, isDisabled = false }: SwitchOptions) {
  return (
    <label class="switch">
      <span>
        {label}
        {note !== undefined && <span class="note">{note}</span>}
      </span>
      <input
        type="checkbox"
        role="switch"
        aria-checked={isOn}
        name={name}
        checked={isOn}
        disabled={isDisabled}
        onChange={(event) => {
          const wanted = event.currentTarget.checked
          event.currentTarget.checked = isOn
          onChange(wanted)
        }}
      />
    </label>
  )
}

interface ChoiceOptions {
  label: string
  name: string
  value: string
  options: readonly (readonly [value: string, label: string])[]
  onChange: (value: string) => void
}

/** One of several. */
export function Choice({ label, name, value, options, onChange }: ChoiceOptions) {
  return (
    <label class="choice-field">
      <span>{label}</span>
      <select name={name} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A part of a panel under a heading. */
export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  )
}
