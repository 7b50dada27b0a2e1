import { z } from 'zod'
import { uint } from './lenient.ts'
import type { StreamWord } from './stream.ts'

/** What a viewer says over the thin line. */
export const StreamWordSchema: z.ZodType<StreamWord> = z.discriminatedUnion('is', [
  z.object({ is: z.literal('wish'), picture: z.enum(['video', 'jpeg', 'none']), id: z.string().max(256).optional(), sound: z.boolean() }),
  z.object({ is: z.literal('seen'), pictures: z.number().nonnegative() }),
  z.object({ is: z.literal('key') }),
  z.object({ is: z.literal('ping'), time: z.number().nonnegative() }),
  z.object({ is: z.literal('move'), x: uint(16), y: uint(16) }),
])
