/** Times, numbers and JSON as people read them. */

const absolute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const numbers = new Intl.NumberFormat('en');

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** Formats a time to the second, in the reader's zone. */
export function atTime(time: string): string {
  return absolute.format(new Date(time));
}

/** Formats a time by its distance from now. */
export function ago(time: string, now = Date.now()): string {
  const seconds = Math.round((new Date(time).getTime() - now) / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 10 ? 'just now' : relative.format(seconds, 'second');
}

export function count(value: number): string {
  return numbers.format(value);
}

/** Formats seconds as the largest fitting unit, such as `5 min`. */
export function duration(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

/** Reads a text such as `5 min` as seconds. */
export function seconds(text: string): number | undefined {
  const match = /^\s*(\d+)\s*(s|sec|m|min|h|d)?\s*$/.exec(text);
  if (!match) return undefined;
  const size = { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 }[match[2] ?? 's'] ?? 1;
  return Number(match[1]) * size;
}

/** Indents a text that is JSON, and returns any other as it is. */
export function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Writes a retry schedule as people read it. */
export function pausesText(pauses: number[] | null | undefined): string {
  return (pauses ?? []).map(duration).join(', ');
}

/** Reads a retry schedule; `undefined` where a pause cannot be read. */
export function pausesOf(text: string): number[] | undefined {
  const parts = text.split(',').filter((part) => part.trim());
  const read = parts.map(seconds).filter((pause): pause is number => pause !== undefined);
  return read.length === parts.length ? read : undefined;
}
