/** What can be seen of a name: no marks of direction, no joiners. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u

/** The first letter of a name on a colour that is always the same for it. */
export function Avatar({ name }: { name: string }) {
  return (
    <span class="avatar" data-hue={hueOf(name)} aria-hidden="true">
      {visible.exec(name)?.[0].toUpperCase()}
    </span>
  )
}

/** One of eight colours. */
function hueOf(name: string): number {
  let sum = 0
  for (const character of name) {
    sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  }
  return sum % 8
}
