/** Calls of the native API, in the types of its published document. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

/** The refusal of a call, with its problem details (RFC 9457). */
export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

let csrfToken = '';
let onSessionEnd = () => {};

/** Sets the token that every change carries. */
export function useCsrfToken(token: string): void {
  csrfToken = token;
}

/** Registers the reaction to a session that has ended. */
export function whenSessionEnds(react: () => void): void {
  onSessionEnd = react;
}

export const api = createClient<paths>({ credentials: 'same-origin' });

api.use({
  onRequest({ request }) {
    if (request.method !== 'GET' && csrfToken) request.headers.set('X-CSRF-Token', csrfToken);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !SESSION_PATHS.has(schemaPath)) onSessionEnd();
  },
});

// A wrong token and an absent session are answers there, and no end of a session.
const SESSION_PATHS = new Set(['/v1/session', '/v1/sessions']);

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** Returns the body of a successful response, and throws the problem of any other. */
export async function ok<A extends Answer>(call: Promise<A>): Promise<Exclude<A['data'], undefined>> {
  let answer: A;
  try {
    answer = await call;
  } catch {
    throw new Refusal(unreachable());
  }
  if (answer.response.ok) return answer.data as Exclude<A['data'], undefined>;
  throw new Refusal(problemOf(answer.error, answer.response));
}

/** Returns the problem of anything that was thrown. */
export function problemIn(thrown: unknown): Problem {
  if (thrown instanceof Refusal) return thrown.problem;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return { type: 'about:blank', title: 'Error', status: 0, detail, code: 'client_error' };
}

/** Follows a list to its end, or to 5,000 items. */
export async function all<T>(page: (cursor?: string) => Promise<{ data: T[]; nextCursor?: string }>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { data, nextCursor } = await page(cursor);
    items.push(...data);
    cursor = nextCursor;
  } while (cursor && items.length < 5000);
  return items;
}

function unreachable(): Problem {
  const detail = 'The server cannot be reached. Check the connection; the page tries again by itself.';
  return { type: 'about:blank', title: 'Unreachable', status: 0, detail, code: 'unreachable' };
}

function problemOf(error: unknown, response: Response): Problem {
  if (error && typeof error === 'object' && 'detail' in error) return error as Problem;
  const title = response.statusText || `Status ${response.status}`;
  return { type: 'about:blank', title, status: response.status, detail: title, code: 'unknown' };
}
