/** Theme: the session's, or the one that was chosen in this browser. */
import type { Theme } from '../api/session';

const KEY = 'tieline-theme';
const THEMES: Theme[] = ['auto', 'light', 'dark'];

function stored(): Theme | undefined {
  try {
    return THEMES.find((theme) => theme === window.localStorage.getItem(KEY));
  } catch {
    // A browser may refuse storage to an embedded page.
    return undefined;
  }
}

/** Applies the theme of a session, unless another one was chosen here. */
export function applyTheme(theme: Theme): Theme {
  const chosen = theme === 'auto' ? (stored() ?? 'auto') : theme;
  document.documentElement.dataset.theme = chosen;
  return chosen;
}

/** Changes the theme of this browser to the next one, and returns it. */
export function nextTheme(): Theme {
  const now = THEMES.indexOf((document.documentElement.dataset.theme ?? 'auto') as Theme);
  const next = THEMES[(now + 1) % THEMES.length] ?? 'auto';
  document.documentElement.dataset.theme = next;
  try {
    window.localStorage.setItem(KEY, next);
  } catch {
    // The choice holds until the page is left.
  }
  return next;
}
