import { signal } from '@preact/signals'
import { en, type Words } from './en.ts'

/** The texts in the language of the page. */
export const words = signal<Words>(en)
