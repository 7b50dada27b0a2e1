import { Fleet } from './fleet.ts'
const t = performance.now()
const fleet = await Fleet.open({})
console.log('ready', performance.now() - t, fleet.urls)
console.log(await (await fetch(fleet.url + '/stats?pwd=admin')).text())
await fleet[Symbol.asyncDispose]()
console.log('gone', performance.now() - t)
