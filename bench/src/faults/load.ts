import { join } from 'node:path';
import { ClientKeyFile, clientKeyPath, networkDir, readDirectoryFile, readJsonFile, TokenSource } from '@amana/local';
import { Caller, type Patience } from './caller.ts';
import { Consents } from './consents.ts';
import type { Journal } from './journal.ts';
import type { FaultNetwork } from './network.ts';
import { type Seeded } from './seeded.ts';
import type { Cast, Provider } from './cast.ts';
import { Stories } from './stories.ts';

/** So few that several referrals ask for the same ones at the same moment. */
const roomsOfEachShelter = [{ code: 'r1', beds: [{ code: 'b1' }, { code: 'b2' }] }, { code: 'r2', beds: [{ code: 'b3' }] }];
const workers = 14;

interface RunOptions {
  readonly run: number;
  readonly rng: Seeded;
  readonly patience: Patience;
  readonly over: AbortSignal;
}

/** The callers of the network and what they do all at once. Made once per network, played once per run. */
export class Load {
  readonly journal: Journal;
  readonly #network: FaultNetwork;
  readonly #consents: Consents;
  readonly #keys: ReadonlyMap<string, ClientKeyFile>;
  readonly #tokens = new Map<string, TokenSource>();
  readonly #services: ReadonlyMap<string, string>;

  private constructor(options: { journal: Journal; network: FaultNetwork; keys: ReadonlyMap<string, ClientKeyFile>; services: ReadonlyMap<string, string> }) {
    this.journal = options.journal;
    this.#network = options.network;
    this.#keys = options.keys;
    this.#services = options.services;
    this.#consents = new Consents({ intakeUrl: options.network.stack.urls.get('intake')!.appUrl, journal: options.journal });
  }

  /** Reads who there is, and publishes the key that signs receipts. */
  static async prepare(network: FaultNetwork, journal: Journal): Promise<Load> {
    const clients = ['casa-system', 'souss-system', 'shelter-a-system', 'shelter-b-system', 'clinic-system', 'psychosocial-system', 'legal-system', 'vocational-system', 'operator-system'];
    const keys = new Map<string, ClientKeyFile>();
    for (const client of clients) keys.set(client, await readJsonFile(clientKeyPath(network.stack.options.stateDir, client), ClientKeyFile));
    const { services } = await readDirectoryFile(join(networkDir, 'organisations.hsds.json'));
    const load = new Load({ journal, network, keys, services: new Map(services.map((service) => [service.organisationId, service.serviceId])) });
    await load.#consents.publishKey(0, { giveUpAtMs: Date.now() + 60_000, serverErrors: 0 });
    return load;
  }

  /** A house for each shelter, before a run: beds that an earlier run left taken would leave none to race for. */
  async openHouses(options: RunOptions): Promise<void> {
    for (const { serviceId, caller } of this.#cast(options).shelters) await openHouse(caller, serviceId, options.rng.fork(`house-${caller.client}`));
  }

  /** All at once for the same beds, as at the beginning of each run. */
  async rush(options: RunOptions): Promise<void> {
    await new Stories(this.#cast(options), options.rng.fork('rush')).rush();
  }

  /** Workers play stories until it is over; resolves when the last one has its answers or has given up. */
  async play(options: RunOptions): Promise<void> {
    const cast = this.#cast(options);
    const rushed = this.rush(options);
    await Promise.all(Array.from({ length: workers }, async (_, worker) => {
      const stories = new Stories(cast, options.rng.fork(`worker-${worker}`));
      while (!options.over.aborted) await stories.playOne();
    }));
    await rushed;
  }

  /** A partner system by its name. */
  caller(client: string, { run, patience }: Pick<RunOptions, 'run' | 'patience'>): Caller {
    const key = this.#keys.get(client)!;
    let tokens = this.#tokens.get(client);
    if (!tokens) this.#tokens.set(client, tokens = TokenSource.forClient({ tokenUrl: key.tokenUrl, clientId: key.client_id, privateJwk: key.privateJwk }));
    return new Caller({ client, organisationId: key.organisationId }, { url: this.#network.stack.url, tokens, journal: this.journal, run, patience });
  }

  async close(): Promise<void> {
    await this.#consents.close();
  }

  #cast(options: RunOptions): Cast {
    const provider = (client: string): Provider => {
      const caller = this.caller(client, options);
      return { caller, serviceId: this.#services.get(caller.organisationId)! };
    };
    return {
      senders: [this.caller('casa-system', options), this.caller('souss-system', options)], clinic: provider('clinic-system'), shelters: [provider('shelter-a-system'), provider('shelter-b-system')],
      others: [provider('psychosocial-system'), provider('legal-system'), provider('vocational-system')], consents: this.#consents, ...options,
    };
  }
}

/** Refused until the shelter has heard of its own service. */
async function openHouse(caller: Caller, serviceId: string, rng: Seeded): Promise<void> {
  for (let asked = 0; asked < 100; asked += 1) {
    const answer = await caller.command({
      service: 'shelter', route: 'POST /v1/shelter/:organisationId/sites', params: { organisationId: caller.organisationId }, idempotencyKey: `house-${rng.uuid()}`,
      body: { serviceId, code: `house-${rng.int(1, 999_999)}`, address: 'An invented house', placementClasses: ['woman'], rooms: roomsOfEachShelter },
    });
    if (answer.outcome === 'acknowledged') return;
    if (answer.code !== 'service-unknown') throw new Error(`The house was refused: ${answer.status} ${answer.code ?? ''}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error('The shelter never heard of its own service');
}
