/** `npm run screenshots -- FOLDER [PART [LANGUAGE]]`: a picture of every state of the page, in both themes and three sizes of window. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Looks } from './looks.ts'

const [folder, part = '', language = 'en'] = process.argv.slice(2)
if (folder === undefined) {
  console.error(
    'screenshots FOLDER [PART [LANGUAGE]]\n  FOLDER    where the pictures go\n  PART      only of states with this in their name\n  LANGUAGE  one of the page',
  )
  process.exit(2)
}
await mkdir(folder, { recursive: true })
await using looks = await Looks.open({ language })
for await (const { name, size, theme, page } of looks.each({ part })) {
  await page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) })
}
console.log(`the pictures are in ${resolve(folder)}`)
