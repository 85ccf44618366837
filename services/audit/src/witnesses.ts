import { Inject, Injectable } from '@nestjs/common';
import { checkpointOf, jwkOf, keyIdOf, type NoteKey, readNote, readVerifierKey, signatureKind } from '@amana/ledger';
import { Database } from '@amana/persistence';
import { verifySignature } from '@amana/privacy';
import { type ServiceSettings, ServiceSettingsToken } from '@amana/service';
import { Ledger } from './ledger.ts';

const answerWithinMs = 5_000;
const maxAnswerBytes = 64 * 1_024;

interface Witness {
  readonly url: string;
  readonly key: NoteKey;
}

/** Why a log must not sign: somebody holds a checkpoint of ours that it cannot be the continuation of. */
export type Contradiction = 'shrunk' | 'forked';

/** The partners who sign the ledger beside us, so that it cannot be written anew behind their backs (C2SP tlog-witness). */
@Injectable()
export class Witnesses {
  readonly #ledger: Ledger;
  readonly #database: Database;
  readonly #witnesses: readonly Witness[];

  constructor(ledger: Ledger, @Inject(Database) database: Database, @Inject(ServiceSettingsToken) settings: Pick<ServiceSettings, 'witnesses'>) {
    this.#ledger = ledger;
    this.#database = database;
    this.#witnesses = settings.witnesses.map(readWitness);
  }

  get count(): number {
    return this.#witnesses.length;
  }

  /**
   * Whether a witness shows a checkpoint that our key has signed and that this database cannot lead to, as after a restored
   * backup. A witness that is away, or that shows what we did not sign, proves nothing: nobody can stop the log by lying.
   */
  async contradiction(): Promise<Contradiction | undefined> {
    const [size, own] = [(await this.#ledger.newest())?.size ?? 0, await this.#ledger.verifierKey(await this.#ledger.origin())];
    const shown = await Promise.all(this.#witnesses.map(({ url }) => ask(`${url}/checkpoint`).then(({ text }) => checkpointOf(text, own, verifySignature), () => undefined)));
    for (const checkpoint of shown) {
      if (!checkpoint || checkpoint.size === 0) continue;
      if (checkpoint.size > size) return 'shrunk';
      if (!(await this.#ledger.treeAt(size).rootAt(checkpoint.size)).equals(checkpoint.root)) return 'forked';
    }
    return undefined;
  }

  /** Whether there is something to sign, and nobody has signed anything for so long; whichever replica asked. */
  async due(everyMs: number): Promise<boolean> {
    const { rowCount } = await this.#database.app.query({
      name: 'ledger-witness-due', values: [everyMs / 1_000],
      text: 'SELECT FROM ledger_head WHERE size > 0 AND NOT EXISTS (SELECT FROM ledger_cosignature WHERE at > now() - make_interval(secs => $1))',
    });
    return rowCount !== 0;
  }

  /** Has the newest checkpoint signed by every witness that is there, and keeps what they sign; answers how many did. */
  async collect(): Promise<number> {
    const newest = await this.#ledger.newest();
    if (!newest) return 0;
    const lines = await Promise.all(this.#witnesses.map((witness) => this.#askFor(witness, newest).catch(() => undefined)));
    const signed = lines.flatMap((line, at) => (line === undefined ? [] : [{ witness: this.#witnesses[at]!.key.name, line }]));
    for (const { witness, line } of signed) {
      await this.#database.app.query({
        name: 'ledger-cosign', values: [newest.size, witness, line],
        text: 'INSERT INTO ledger_cosignature (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT (size, witness) DO NOTHING',
      });
    }
    return signed.length;
  }

  /** A witness tells the size that it has seen when it is told a wrong one: the second request begins there. */
  async #askFor({ url, key }: Witness, { size, note }: { size: number; note: string }): Promise<string | undefined> {
    for (let [old, tries] = [0, 0]; tries < 2; tries += 1) {
      const proof = old === 0 || old > size ? [] : await this.#ledger.treeAt(size).consistency(old);
      const body = [`old ${old}`, ...proof.map((hash) => hash.toString('base64')), '', note].join('\n');
      const { status, text } = await ask(`${url}/add-checkpoint`, body);
      if (status === 200) return text.split('\n').map((line) => `${line}\n`).find((line) => cosigns(line, note, key));
      if (status !== 409 || !/^(?:0|[1-9]\d{0,14})\n$/.test(text) || Number(text) > size) return undefined;
      old = Number(text);
    }
    return undefined;
  }
}

function readWitness(text: string): Witness {
  const [url, keyText] = text.split(' ') as [string, string];
  const key = readVerifierKey(keyText);
  if (key?.kind !== signatureKind.witness) throw new Error('AMANA_WITNESSES: each is an address, a space, and the key that the witness printed');
  return { url: url.replace(/\/$/, ''), key };
}

async function ask(url: string, body?: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs), redirect: 'error', ...(body === undefined ? {} : { method: 'POST', body }) });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    // Whoever answers without an end is left alone.
    if (bytes > maxAnswerBytes) throw new RangeError('The answer is too large');
    chunks.push(chunk);
  }
  return { status: answer.status, text: Buffer.concat(chunks).toString('utf8') };
}

/** Whether a line is the witness's own signature over the note's text at the time that the line names. */
function cosigns(line: string, note: string, key: NoteKey): boolean {
  const text = readNote(note)!.text;
  const [signature, ...more] = readNote(`${text}\n${line}`)?.signatures ?? [];
  if (!signature || more.length > 0 || signature.name !== key.name || signature.keyId !== keyIdOf(key) || signature.signature.length !== 72) return false;
  const time = Buffer.from(signature.signature).readBigUInt64BE(0);
  return verifySignature(jwkOf(key), Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), signature.signature.subarray(8));
}
