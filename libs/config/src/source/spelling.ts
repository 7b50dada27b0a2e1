import { type Document, visit } from 'yaml'

/** Where a number is written so that it would not come back (`0123`, `1e3`, `1.50`), its spelling is kept: it may be a password or an expression. */
export function keepSpelling(document: Document): void {
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'number' && node.source !== undefined && String(node.value) !== node.source) {
        node.value = node.source
      }
    },
  })
}
