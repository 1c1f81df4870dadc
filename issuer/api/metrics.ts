/** `/metrics`: for Prometheus. */
import { METRICS_TYPE, metricsText } from '../metrics.ts'
import { type Route, route } from './route.ts'

const metrics = route({
  name: 'showMetrics',
  method: 'get',
  path: '/metrics',
  summary: 'Figures of all gateways, in the text format of Prometheus',
  access: 'scraper',
  success: { status: 200, description: 'text/plain; version=0.0.4' },
  refusals: [],
  async answer({ issuer: { dataFolder, metricsFolder, version } }) {
    const text = await metricsText(dataFolder, metricsFolder, version)
    return { status: 200, text, type: METRICS_TYPE }
  },
})

export const metricsRoutes: readonly Route[] = [metrics]
