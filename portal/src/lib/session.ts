/** The session of this browser, as a value that the pages share. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Schemas } from '../api/client';
import type { MemberSession, PageName } from '../api/session';

export type Permission = Schemas['Permission'];

export const SessionContext = createContext<MemberSession | undefined>(undefined);

/** Returns the member's session; the pages of an organisation are shown in one alone. */
export function useSession(): MemberSession {
  const session = useContext(SessionContext);
  if (!session) throw new Error('There is no session.');
  return session;
}

/** Returns whether the caller has a permission, which decides what is shown. The server decides what is done. */
export function useMay(): (permission: Permission) => boolean {
  const { permissions } = useSession();
  return (permission) => permissions.includes(permission);
}

/** Returns whether the session includes one of these pages: one that is limited may read nothing of the others. */
export function useSees(...names: PageName[]): boolean {
  const { pages } = useSession();
  return names.some((name) => pages.includes(name));
}
