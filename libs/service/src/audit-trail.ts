import { auditEntryOf, type Role, type ServiceName } from '@amana/contracts';
import { type Caller, policyVersion } from '@amana/access';
import { randomUUID } from 'node:crypto';
import { actorTag, auditLeaf, type TagKeys, subjectTag } from '@amana/privacy';
import type { Clock, NewEvent } from '@amana/persistence';

/** What an act or a look was about. */
export interface Subject {
  /** `referral`, `case`, `stay`, `appointment` ... */
  readonly type: string;
  /** The aggregate the entry is tagged by: each producer tags by its own, so that no case id travels. */
  readonly aggregateId: string;
  /** Shown as the object's id where both sides know it; otherwise the tag stands in its place. */
  readonly publicId?: string | undefined;
  readonly version?: number | undefined;
  /** The referral it belongs to: the entry's key, under which the auditor finds it. */
  readonly referralId?: string | undefined;
  readonly consent?: { readonly ref: string; readonly version: number } | undefined;
  readonly recipientOrg?: string | undefined;
}

/** Who acted: a caller in a role, or the service itself on an event. */
export type Actor = { readonly caller: Caller; readonly role: Role } | { readonly system: ServiceName };

export interface AuditedAct {
  readonly actor: Actor;
  readonly action: string;
  readonly subject: Subject;
  readonly decision: 'permit' | 'deny';
  readonly outcome: string;
  readonly requestId: string;
}

/** Turns acts and looks into audit entries: events of the same log, committed with the act itself. */
export class AuditTrail {
  readonly #service: ServiceName;
  readonly #keys: TagKeys;
  readonly #clock: Clock;
  readonly #definition: ReturnType<typeof auditEntryOf>;

  constructor(options: { service: ServiceName; keys: TagKeys; clock: Clock }) {
    this.#service = options.service;
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#definition = auditEntryOf(options.service);
  }

  /** The entry of one act, ready to be appended: its own stream, keyed by the referral or else by the tag. */
  entry(act: AuditedAct): NewEvent {
    const tag = this.tagOf(act.subject.aggregateId);
    const { subject } = act;
    const leaf = auditLeaf({
      producer: this.#service, at: this.#clock.business().toISOString(), actor: this.#actor(act.actor), action: act.action,
      object: { type: subject.type, id: subject.publicId ?? `tag:${tag}`, version: subject.version ?? 0 },
      subjectTag: tag, ...(subject.consent ? { consent: subject.consent } : {}), ...(subject.recipientOrg ? { recipientOrg: subject.recipientOrg } : {}),
      policy: { version: policyVersion, rule: act.action }, decision: act.decision, requestId: act.requestId, outcome: act.outcome,
    });
    return { stream: randomUUID(), version: 1, definition: this.#definition, key: subject.referralId ?? tag, data: { leaf: leaf.toString('base64url') } };
  }

  /** The tag under which this service's entries about an aggregate are found. */
  tagOf(aggregateId: string): string {
    return subjectTag(this.#keys, aggregateId);
  }

  #actor(actor: Actor): { tag: string; org: string; role: string; client: string } {
    if ('system' in actor) return { tag: actorTag(this.#keys, 'system', actor.system), org: 'system', role: 'system', client: actor.system };
    const { caller, role } = actor;
    return { tag: actorTag(this.#keys, caller.organisationId, caller.subject), org: caller.organisationId, role, client: caller.clientId };
  }
}
