/** Client-side routing by path, below `/portal`. */
import { useEffect, useState } from 'preact/hooks';

export const BASE = '/portal';

export interface Place {
  /** Path below the base, such as `/routes/new`. */
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();

/** Returns the place that the address bar shows. */
export function place(): Place {
  const { pathname, search } = window.location;
  const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname;
  return { path: path === '' ? '/' : path, query: new URLSearchParams(search) };
}

/** Goes to a path below the base. */
export function go(to: string, { replace = false } = {}): void {
  if (!replace) window.scrollTo(0, 0);
  window.history[replace ? 'replaceState' : 'pushState'](null, '', BASE + to);
  for (const listener of listeners) listener();
}

/** Returns the current place, and renders again when it changes. */
export function usePlace(): Place {
  const [here, setHere] = useState(place);
  useEffect(() => {
    const update = () => setHere(place());
    listeners.add(update);
    window.addEventListener('popstate', update);
    update();
    return () => {
      listeners.delete(update);
      window.removeEventListener('popstate', update);
    };
  }, []);
  return here;
}

/** Follows links to pages of the portal without loading the document again. */
export function interceptLinks(): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    const href = link?.getAttribute('href') ?? '';
    if (!link || link.target || link.hasAttribute('data-reload') || !href.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    go(href.slice(BASE.length));
  });
}

/** Returns the address of a page, for a link. */
export function href(path: string, query: Record<string, string | undefined> = {}): string {
  return BASE + withQuery(path, query);
}

/** Appends the parameters that have a value. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const set = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const text = new URLSearchParams(set).toString();
  return text ? `${path}?${text}` : path;
}
