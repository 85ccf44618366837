import type { ReceivedEvent } from '@amana/messaging';
import type { Transaction } from '@amana/persistence';
import { meter } from '@amana/telemetry';

const minute = 60;
const hour = 3_600;
const day = 86_400;

/** The figure that the network is measured by: a quarter of referrals used to get no answer at all. */
const answerSeconds = meter('amana.referral').createHistogram('amana.referral.answer.seconds', {
  unit: 's', description: 'From submission to the first answer, in business time, by urgency and outcome',
  advice: { explicitBucketBoundaries: [minute, 5 * minute, 15 * minute, hour, 4 * hour, 8 * hour, day, 2 * day, 3 * day, 7 * day] },
});

/** Notes how long an answer took once the transaction of its reaction is durable: a redelivery is not counted twice. */
export async function noteAnswer(tx: Transaction, event: ReceivedEvent<{ referralId: string }>, outcome: 'accepted' | 'declined' | 'expired'): Promise<void> {
  const [row] = await tx.query<{ urgency: string; submitted_at: Date | null }>({
    name: 'answer-time', values: [event.data.referralId], text: 'SELECT urgency, submitted_at FROM referral_board WHERE referral_id = $1',
  });
  if (!row?.submitted_at) return;
  const { urgency, submitted_at: submittedAt } = row;
  const seconds = Math.max(0, (event.at.getTime() - submittedAt.getTime()) / 1000);
  tx.afterCommit(() => answerSeconds.record(seconds, { urgency, outcome }));
}
