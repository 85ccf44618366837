import { Controller } from '@nestjs/common';
import { Id, Refusal } from '@amana/contracts';
import { readCheckpointText, readNote, verifierKeyText } from '@amana/ledger';
import { type Act, Allow, Looks, Read, TheAct } from '@amana/service';
import { z } from 'zod';
import { Ledger, newestCheckpoint, tileAt, toCheckpoint, treeFrom } from '../ledger.ts';

const Base64 = z.base64();
const Checkpoint = z.object({
  size: z.int().describe('Entries in the log'), note: z.string().describe('The signed note (C2SP tlog-checkpoint)'), key: z.string().describe('What it is verified with (C2SP signed-note): compare it with the one you were handed'),
}).meta({ id: 'LedgerCheckpoint' });
const TileView = z.object({ level: z.int(), index: z.int(), width: z.int(), hashes: Base64.describe('32 bytes a hash, one after the other') }).meta({ id: 'LedgerTile' });
const Proven = z.object({
  index: z.int().describe('Its place in the log'), leaf: Base64.describe('The entry\'s exact bytes'), size: z.int(), proof: z.array(Base64).describe('The hashes from the entry up to the root (RFC 6962)'), note: z.string().describe('The checkpoint of that size'),
}).meta({ id: 'LedgerProof' });

/** What a verifier needs of the ledger. Hashes and signatures tell nothing of anybody; an entry's bytes are a look. */
@Controller()
export class LedgerReads {
  readonly #looks: Looks;
  readonly #ledger: Ledger;

  constructor(looks: Looks, ledger: Ledger) {
    this.#looks = looks;
    this.#ledger = ledger;
  }

  @Read('GET /v1/audit/ledger/checkpoint', { summary: 'The newest signed checkpoint of the ledger', answer: Checkpoint })
  @Allow('ledger.read')
  checkpoint(@TheAct() act: Act): Promise<z.infer<typeof Checkpoint>> {
    return this.#looks.show(act, [newestCheckpoint], async ([rows]) => {
      const { size, note } = found(toCheckpoint(rows!));
      const { origin } = readCheckpointText(readNote(note)!.text)!;
      return { answer: { size, note, key: verifierKeyText(await this.#ledger.verifierKey(origin)) }, subjects: [] };
    });
  }

  @Read('GET /v1/audit/ledger/tiles/:level/:index', { summary: 'The hashes of one tile, as many as there are by now (C2SP tlog-tiles)', answer: TileView })
  @Allow('ledger.read')
  tile(@TheAct() act: Act): Promise<z.infer<typeof TileView>> {
    const [level, index] = [numberOf(act, 'level'), numberOf(act, 'index')];
    return this.#looks.show(act, [tileAt({ level, index })], ([rows]) => {
      const row = found(rows![0]);
      return { answer: { level, index, width: row.width as number, hashes: (row.hashes as Buffer).toString('base64') }, subjects: [] };
    });
  }

  @Read('GET /v1/audit/entries/:entryId/proof', { summary: 'An entry\'s exact bytes, and the proof that the ledger holds them; an entry has its place within a second', answer: Proven })
  @Allow('audit.read')
  async proof(@TheAct() act: Act): Promise<z.infer<typeof Proven>> {
    const entryId = act.id('entryId');
    return await this.#looks.show(act, [newestCheckpoint, {
      name: 'ledger-entry', values: [entryId], text: 'SELECT idx, key, tag, body FROM audit_entry JOIN ledger_entry USING (received) WHERE event_id = $1',
    }], async ([checkpoints, entries], tx) => {
      const entry = found(entries![0]);
      const { size, note } = found(toCheckpoint(checkpoints!));
      const index = Number(entry.idx);
      // A place that was given after the checkpoint was read has its own in a moment.
      if (index >= size) throw new Refusal('not-found');
      const proof = await treeFrom(size, (tile) => tx.query(tile)).inclusion(index);
      return {
        answer: { index, leaf: (entry.body as Buffer).toString('base64'), size, proof: proof.map((hash) => hash.toString('base64')), note },
        // Under the referral where the entry belongs to one: who read its bytes stands in its looks.
        subjects: [{ type: 'audit-trail', aggregateId: entry.tag as string, publicId: entry.tag as string, ...(Id.safeParse(entry.key).success ? { referralId: entry.key as string } : {}) }],
      };
    });
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Refusal('not-found');
  return value;
}

/** A number as a tile's path spells it. What is none cannot exist. */
function numberOf(act: Act, name: string): number {
  const text = act.params[name] ?? '';
  if (!/^(?:0|[1-9]\d{0,14})$/.test(text) || (name === 'level' && Number(text) > 63)) throw new Refusal('not-found');
  return Number(text);
}
