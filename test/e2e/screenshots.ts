/** `npm run screenshots -- FOLDER [PART [LANGUAGE]]`: a picture of every state of the page, in both themes and three sizes of window. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Looks, type Size, sizes } from './looks.ts'

const [folder, part = '', language = 'en'] = process.argv.slice(2)
if (folder === undefined) {
  console.error(
    'screenshots FOLDER [PART [LANGUAGE]]\n  FOLDER    where the pictures go\n  PART      only of states with this in their name, or one of these with commas between them\n  LANGUAGE  one of the page',
  )
  process.exit(2)
}
await mkdir(folder, { recursive: true })
await using looks = await Looks.open({ language })
// Each state is brought about in each window anew: a menu that was opened in another may be in another place.
for (const window of Object.keys(sizes) as Size[]) {
  for await (const { name, size, theme, page } of looks.each({ part, only: [window] })) {
    await page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) })
  }
}
console.log(`the pictures are in ${resolve(folder)}`)
