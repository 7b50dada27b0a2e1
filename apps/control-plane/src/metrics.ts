import { Counter, Registry } from 'prom-client'

/** What this process counts for `/metrics`, each under the name that a dashboard asks for. */
export function createMetrics() {
  const registry = new Registry()
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  return {
    registry,
    ignored: counter('neko_edge_messages_ignored_total', 'Messages of clients that were not understood, by reason', ['reason']),
    logins: counter('neko_edge_logins_total', 'Logins by outcome', ['outcome']),
    requests: counter('neko_edge_http_requests_total', 'HTTP requests by status', ['status']),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
