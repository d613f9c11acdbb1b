/** Sessions: a token is exchanged for a cookie, and the cookie names the member. */
import { type Problem, Refusal, type Schemas } from './client';

export type PageName = 'home' | 'routes' | 'deliveries' | 'events' | 'apps' | 'organisation';
export type Theme = 'auto' | 'light' | 'dark';

export interface Session {
  member: { userId: string; role: Schemas['Role']; email?: string };
  organisation: { id: string; slug: string; name: string };
  permissions: Schemas['Permission'][];
  pages: PageName[];
  theme: Theme;
  returnUrl?: string;
  csrfToken: string;
  expiresAt: string;
  embedded: boolean;
}

export interface SignInOptions {
  openIdConnect?: { name: string; url: string };
  tokens: boolean;
}

async function call<T>(method: string, path: string, body?: unknown, csrfToken?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (csrfToken) headers['X-CSRF-Token'] = csrfToken;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(path, { method, headers, body: text, credentials: 'same-origin' });
  if (!response.ok) throw new Refusal((await response.json()) as Problem);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

/** Returns the session of the cookie, if there is one. */
export async function readSession(): Promise<Session | undefined> {
  try {
    return await call<Session>('GET', '/v1/session');
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.problem.status === 401) return undefined;
    throw thrown;
  }
}

export function openSession(token: string): Promise<Session> {
  return call<Session>('POST', '/v1/sessions', { token });
}

export function closeSession(csrfToken: string): Promise<void> {
  return call<void>('DELETE', '/v1/session', undefined, csrfToken);
}

export function readSignInOptions(): Promise<SignInOptions> {
  return call<SignInOptions>('GET', '/v1/sign-in-options');
}
