import { fork } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { directoryImportOf, networkDir, readDirectoryFile, type Replica, type TokenSource } from '@amana/local';
import { receiptKeyFromJwk, signReceipt } from '@amana/privacy';
import type { LoadJob, LoadResult } from './http-load.ts';
import type { Network } from './network.ts';
import { referralIdSql } from './referral-ids.ts';

/** From the sandbox's own files: who sends, and the provider who answers. */
const [sender, provider] = ['souss-system', 'psychosocial-system'];
const answerBody = { acceptance: JSON.stringify({ responsibleRole: 'psychologist' }), acknowledgement: '{}' } as const;
const routes = '/v1/referral/referrals';

export type Answer = keyof typeof answerBody;
export type LoadOptions = Pick<LoadJob, 'connections' | 'warmUpMs' | 'measureMs' | 'perSecond'>;

/** A running referral service with as many submitted referrals as wanted, and the load that answers them over HTTP. */
export class ReferralLab {
  readonly network: Network;
  readonly service: Replica;
  readonly #tokens: TokenSource;
  readonly #template: string;
  #seeded = 0;

  private constructor(network: Network, options: { service: Replica; tokens: TokenSource; template: string }) {
    this.network = network;
    this.service = options.service;
    this.#tokens = options.tokens;
    this.#template = options.template;
  }

  /** The network's databases and issuer must stand. Drafts and submits one referral over HTTP: the template of all others. */
  static async open(network: Network): Promise<ReferralLab> {
    const service = await network.startService('referral');
    const template = await submitOne(network, service.url);
    return new ReferralLab(network, { service, template, tokens: await network.tokensOf(provider) });
  }

  /**
   * Copies of the template under ids of their own, as the service would have written them, except that they are not
   * published again. Answers the number of the first; they are numbered on from there.
   */
  async seed(count: number): Promise<number> {
    const first = this.#seeded + 1;
    this.#seeded += count;
    const copies = `generate_series(${first}, ${this.#seeded}) AS k CROSS JOIN LATERAL (SELECT ${referralIdSql('k')} AS id) AS n`;
    await this.network.query('referral', `
      INSERT INTO event (id, stream, version, type, topic, key, data, meta, at)
        SELECT gen_random_uuid(), n.id, e.version, e.type, NULL, n.id::text, replace(e.data::text, '${this.#template}', n.id::text)::jsonb, e.meta, e.at
        FROM ${copies} JOIN event e ON e.stream = '${this.#template}';
      INSERT INTO referral_board SELECT (jsonb_populate_record(b, jsonb_build_object('referral_id', n.id, 'consent_ref', gen_random_uuid()))).*
        FROM ${copies} JOIN referral_board b ON b.referral_id = '${this.#template}';
      INSERT INTO due SELECT (jsonb_populate_record(d, jsonb_build_object('key', n.id))).* FROM ${copies} JOIN due d ON d.key = '${this.#template}'`);
    await this.network.query('referral', 'ANALYZE event, referral_board, due');
    return first;
  }

  /** Answers referrals from `first` on, from a process of its own. Throws with what was answered when one was refused. */
  async answer(answer: Answer, first: number, options: LoadOptions): Promise<LoadResult> {
    const job: LoadJob = { url: this.service.url, token: await this.#tokens.token(), act: answer, body: answerBody[answer], firstReferral: first, ...options };
    const child = fork(join(import.meta.dirname, 'http-load.js'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = once(child, 'exit');
    child.send(job);
    const result = await Promise.race([once(child, 'message').then(([heard]) => heard as LoadResult), ended.then(() => undefined)]);
    if (result === undefined) throw new Error('The load process ended without a result');
    child.disconnect();
    await ended;
    if (result.failure !== undefined) throw new Error(`A referral could not be answered: ${result.failure}`);
    return result;
  }
}

/** One referral from draft to submitted, as a partner system would send it. */
async function submitOne(network: Network, url: string): Promise<string> {
  const directory = directoryImportOf(await readDirectoryFile(join(networkDir, 'organisations.hsds.json')));
  await post(network, `${url}/v1/referral/directory-imports`, { client: 'coordination-system', body: directory });
  const [from, to] = [await network.keyOf(sender), await network.keyOf(provider)];
  const service = directory.services.find(({ organisationId, kind }) => organisationId === to.organisationId && kind === 'psychosocial');
  if (!service) throw new Error('The directory lists no service of the provider');
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'benchmark' };
  await network.query('referral', 'INSERT INTO receipt_key (kid, key) VALUES ($1, $2)', [jwk.kid, { kty: jwk.kty, crv: jwk.crv, x: jwk.x }]);
  const iat = Math.floor(Date.now() / 1000);
  const receipt = await signReceipt({
    jti: randomUUID(), ver: 1, iss: from.organisationId, recipient: service.organisationId, serviceId: service.serviceId,
    categories: ['identity'], purpose: 'service', iat, exp: iat + 86_400, lang: 'fr',
  }, receiptKeyFromJwk(jwk));
  const draft = await post(network, `${url}${routes}`, { client: sender, body: { recipients: [{ serviceId: service.serviceId, receipt }], urgency: 'routine' } });
  const id = (await draft.json() as { referralId: string }).referralId;
  await post(network, `${url}${routes}/${id}/submission`, { client: sender, body: {}, ifMatch: draft.headers.get('etag')! });
  return id;
}

async function post(network: Network, url: string, { client, body, ifMatch }: { client: string; body: unknown; ifMatch?: string }): Promise<Response> {
  const tokens = await network.tokensOf(client);
  const answer = await fetch(url, {
    method: 'POST', body: JSON.stringify(body),
    headers: { authorization: `Bearer ${await tokens.token()}`, 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
  });
  if (!answer.ok) throw new Error(`${new URL(url).pathname} was refused (${answer.status}): ${await answer.text()}`);
  return answer;
}
