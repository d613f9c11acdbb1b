/** Sessions: a token is exchanged for a cookie, and the cookie names the member, or the operator. */
import { api, ok, Refusal, type Schemas } from './client';

export type PageName = Schemas['PortalPage'];
export type Theme = Schemas['Theme'];
export type Session = Schemas['Session'];
/** Session of a member of an organisation. */
export type MemberSession = Session & Required<Pick<Session, 'member' | 'organisation'>>;

/** Returns whether a session is a member's. The others are operators'. */
export function isMember(session: Session): session is MemberSession {
  return session.kind === 'member';
}
export type SignInOptions = Schemas['SignInOptions'];

/** Returns the session of the cookie, if there is one. */
export async function readSession(): Promise<Session | undefined> {
  try {
    return await ok(api.GET('/v1/session'));
  } catch (thrown) {
    if (thrown instanceof Refusal && thrown.problem.status === 401) return undefined;
    throw thrown;
  }
}

export function openSession(token: string): Promise<Session> {
  return ok(api.POST('/v1/sessions', { body: { token } }));
}

export function closeSession(): Promise<unknown> {
  return ok(api.DELETE('/v1/session'));
}

export function readSignInOptions(): Promise<SignInOptions> {
  return ok(api.GET('/v1/sign-in-options'));
}
