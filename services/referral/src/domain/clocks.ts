import type { Urgency } from '@amana/contracts';

/** The receiver's calendar: working hours on weekdays in the network's zone. Ramadan's shift to UTC+0 comes with the zone data. */
export interface WorkingCalendar {
  readonly zone: string;
  readonly opensAtHour: number;
  readonly closesAtHour: number;
}

export const networkCalendar: WorkingCalendar = { zone: 'Africa/Casablanca', opensAtHour: 9, closesAtHour: 17 };

export interface Deadlines {
  readonly ackBy: Date;
  readonly decideBy: Date;
  readonly serveBy: Date;
  /** Past this an unanswered referral expires: 150 % of the decide clock. */
  readonly expiresAt: Date;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Limits of the inter-agency referral form (24 h, 72 h, 2 weeks), split as domain.md 3.2 says. `working`: in hours of the receiver's calendar. */
const limits = {
  stat: { ack: { ms: 15 * minuteMs }, decide: { ms: hourMs }, serveMs: 3 * hourMs },
  asap: { ack: { ms: hourMs }, decide: { ms: 4 * hourMs }, serveMs: 24 * hourMs },
  urgent: { ack: { workingHours: 8 }, decide: { ms: 24 * hourMs }, serveMs: 72 * hourMs },
  routine: { ack: { workingHours: 16 }, decide: { workingHours: 40 }, serveMs: 14 * dayMs },
} as const satisfies Record<Urgency, { ack: Limit; decide: Limit; serveMs: number }>;

type Limit = { readonly ms: number } | { readonly workingHours: number };

/** When a referral that was handed over at `from` must be acknowledged, decided and served. A given `serveBy` is kept: it may be a clinical window. */
export function deadlinesOf(urgency: Urgency, from: Date, options: { serveBy?: Date | undefined; calendar?: WorkingCalendar } = {}): Deadlines {
  const calendar = options.calendar ?? networkCalendar;
  const limit = limits[urgency];
  const decide: Limit = limit.decide;
  const decideBy = after(from, decide, calendar);
  const half: Limit = 'ms' in decide ? { ms: decide.ms / 2 } : { workingHours: decide.workingHours / 2 };
  return {
    ackBy: after(from, limit.ack, calendar), decideBy,
    serveBy: options.serveBy ?? new Date(from.getTime() + limit.serveMs),
    expiresAt: after(decideBy, half, calendar),
  };
}

function after(from: Date, limit: Limit, calendar: WorkingCalendar): Date {
  return 'ms' in limit ? new Date(from.getTime() + limit.ms) : addWorkingTime(from, limit.workingHours * hourMs, calendar);
}

/** Walks quarter hour by quarter hour: exact to 15 minutes, at most two months far, and right across a change of the clocks. */
function addWorkingTime(from: Date, workingMs: number, calendar: WorkingCalendar): Date {
  const stepMs = 15 * minuteMs;
  let left = workingMs;
  let at = from.getTime();
  for (let step = 0; left > 0 && step < 60 * 96; step += 1) {
    if (isOpen(new Date(at), calendar)) left -= stepMs;
    at += stepMs;
  }
  return new Date(at);
}

function isOpen(at: Date, calendar: WorkingCalendar): boolean {
  const parts = formatterOf(calendar.zone).formatToParts(at);
  const day = parts.find((part) => part.type === 'weekday')?.value ?? '';
  const hour = Number(parts.find((part) => part.type === 'hour')?.value ?? 0);
  return day !== 'Sat' && day !== 'Sun' && hour >= calendar.opensAtHour && hour < calendar.closesAtHour;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (!formatter) formatters.set(zone, formatter = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', hour: '2-digit', hourCycle: 'h23' }));
  return formatter;
}
