import { Controller } from '@nestjs/common';
import { type AuditEntry, producerOf } from '@amana/contracts';
import { type InboxContext, Reaction, type ReceivedEvent } from '@amana/messaging';
import type { Statement } from '@amana/persistence';
import { readEntry } from '../received-entry.ts';

/** Every producer's entries, this service's own looks among them: they come over the bus like any other's. */
@Controller()
export class OnAuditEntry {
  @Reaction(
    'intake.audit-entry.v1', 'referral.audit-entry.v1', 'shelter.audit-entry.v1', 'health.audit-entry.v1',
    'notifications.audit-entry.v1', 'indicators.audit-entry.v1', 'audit.audit-entry.v1',
  )
  async onEntry(event: ReceivedEvent<AuditEntry>, context: InboxContext): Promise<void> {
    // Nothing is appended here: an entry about keeping an entry would never end.
    context.getTransaction().write(keep(event));
  }
}

/** One entry's row; with it comes, by a trigger, that it waits for its place in the ledger. What is no leaf is refused, and ends in the dead letters: it can never be read. */
export function keep(event: ReceivedEvent<AuditEntry>): Statement {
  const producer = producerOf(event.type);
  const { leaf, body, correlation, look, ownDoing } = readEntry({ leaf: event.data.leaf, producer, correlation: event.correlation });
  return {
    name: 'audit-entry-keep',
    values: [event.id, producer, event.key, leaf.subjectTag, correlation, leaf.at, leaf.actor.tag, leaf.actor.org, leaf.actor.role, ownDoing, leaf.action, leaf.object.type, leaf.object.id,
      leaf.object.version ?? null, leaf.decision, leaf.outcome, look, leaf.consent?.ref ?? null, leaf.consent?.version ?? null, leaf.recipientOrg ?? null, leaf.requestId, body],
    text: `INSERT INTO audit_entry (event_id, producer, key, tag, correlation, at, actor_tag, actor_org, actor_role, own_doing, action, object_type, object_id,
        object_version, decision, outcome, look, consent_ref, consent_version, recipient_org, request_id, body)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ON CONFLICT (event_id) DO NOTHING`,
  };
}
