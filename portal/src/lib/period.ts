/** Periods up to now, by which lists are filtered. */
import { strings } from '../strings';

const HOURS: Record<string, number> = { hour: 1, day: 24, week: 168, month: 720 };

export const PERIODS: [value: string, label: string][] = [
  ['hour', strings.periods.hour],
  ['day', strings.periods.day],
  ['week', strings.periods.week],
  ['month', strings.periods.month],
  ['', strings.periods.all],
];

/** Returns the beginning of a period: a name of one, or a time. */
export function sinceOf(period: string, now = Date.now()): string | undefined {
  const hours = HOURS[period];
  if (hours !== undefined) return new Date(now - hours * 3_600_000).toISOString();
  const time = new Date(period);
  return period && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}
