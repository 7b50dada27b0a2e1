/** Why a value can not be read, as the end of a sentence that begins with the option's name: `is not a whole number`. */
export class BadValue {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}
