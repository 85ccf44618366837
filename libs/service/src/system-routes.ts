import { Controller, Inject } from '@nestjs/common';
import { Refusal, refusals, type RefusalCode } from '@amana/contracts';
import { metricsText } from '@amana/telemetry';
import { z } from 'zod';
import { type Act, TheAct } from './act.ts';
import { Allow, Read } from './route.ts';

/** What the system routes ask of the running service. */
export abstract class ServiceState {
  abstract readonly started: boolean;
  abstract readonly ready: boolean;
  abstract readonly alive: boolean;
  abstract document(): Promise<Record<string, unknown>>;
}

const Health = z.object({ status: z.enum(['ok', 'not-yet']) });

/** Probes, the API document, the pages that explain refusals, and metrics: nothing here tells of a person or an organisation. */
@Controller()
export class SystemRoutes {
  readonly #state: ServiceState;

  constructor(@Inject(ServiceState) state: ServiceState) {
    this.#state = state;
  }

  @Read('GET /v1/:service/health/live', { summary: 'Alive: restart it when this fails', answer: Health })
  @Allow('public')
  live(@TheAct() act: Act) { return health(act, this.#state.alive); }

  @Read('GET /v1/:service/health/ready', { summary: 'Ready: send it requests', answer: Health })
  @Allow('public')
  ready(@TheAct() act: Act) { return health(act, this.#state.ready); }

  @Read('GET /v1/:service/health/startup', { summary: 'Started: the other probes count from now on', answer: Health })
  @Allow('public')
  startup(@TheAct() act: Act) { return health(act, this.#state.started); }

  @Read('GET /v1/:service/openapi.json', { summary: 'This document' })
  @Allow('public')
  openapi() { return this.#state.document(); }

  @Read('GET /v1/:service/metrics', { summary: 'Metrics in the Prometheus text format', internal: true })
  @Allow('public')
  async metrics(@TheAct() act: Act) {
    act.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    return await metricsText();
  }

  @Read('GET /v1/:service/problems/:code', { summary: 'What a refusal code means and what to do', answer: z.object({ code: z.string(), status: z.int(), title: z.string() }) })
  @Allow('public')
  problem(@TheAct() act: Act) {
    const code = act.params.code as RefusalCode;
    if (!Object.hasOwn(refusals, code)) throw new Refusal('not-found');
    return { code, status: refusals[code][0], title: refusals[code][1] };
  }
}

function health(act: Act, well: boolean) {
  if (!well) act.status(503);
  return { status: well ? 'ok' : 'not-yet' };
}
