/** Queries that several pages share, and the names of things. */
import { all, api, ok, type Schemas } from '../api/client';
import type { IconName } from '../ui/icon';
import { useQuery } from './query';
import { useMay, useSees } from './session';

const LIMIT = 250;

export function useConnections(poll = 0) {
  const may = useMay();
  return useQuery(
    'connections',
    () => all((cursor) => ok(api.GET('/v1/connections', { params: { query: { limit: LIMIT, cursor } } }))),
    { poll, enabled: useSees('home', 'routes') && (may('slack:read') || may('github:read')) },
  );
}

export function useDestinations(poll = 0) {
  const may = useMay();
  return useQuery(
    'destinations',
    () => all((cursor) => ok(api.GET('/v1/destinations', { params: { query: { limit: LIMIT, cursor } } }))),
    { poll, enabled: may('routes:read') },
  );
}

export function useRoutes(poll = 0) {
  const may = useMay();
  return useQuery(
    'routes',
    () => all((cursor) => ok(api.GET('/v1/routes', { params: { query: { limit: LIMIT, cursor } } }))),
    { poll, enabled: may('routes:read') },
  );
}

export function useChannels(wanted = true) {
  const may = useMay();
  return useQuery(
    'channels',
    () => all((cursor) => ok(api.GET('/v1/channels', { params: { query: { limit: LIMIT, cursor } } }))),
    { enabled: useSees('home', 'routes', 'apps', 'organisation') && wanted && may('channels:read') },
  );
}

export function useApps(wanted = true) {
  const may = useMay();
  return useQuery(
    'apps',
    () => all((cursor) => ok(api.GET('/v1/apps', { params: { query: { limit: LIMIT, cursor } } }))),
    { enabled: useSees('apps') && wanted && may('integrations:read') },
  );
}

export function useMembers(organisation: string) {
  const may = useMay();
  return useQuery(
    'members',
    () =>
      all((cursor) =>
        ok(
          api.GET('/v1/organisations/{id}/members', {
            params: { path: { id: organisation }, query: { limit: LIMIT, cursor } },
          }),
        ),
      ),
    { enabled: useSees('organisation') && may('members:read') },
  );
}

const ICONS: Record<string, IconName> = {
  slack: 'hash',
  slack_person: 'chat',
  webhook: 'link',
  email: 'mail',
  channel: 'chat',
  integration: 'apps',
};

/** Icon of a kind of destination; kinds may be added. */
export function kindIcon(kind: string): IconName {
  return ICONS[kind] ?? 'right';
}

/** Returns an event with its decisions. The document also has it as a CloudEvent, which is not asked for here. */
export async function readEvent(id: string): Promise<Schemas['EventDetail']> {
  return (await ok(api.GET('/v1/events/{id}', { params: { path: { id } } }))) as Schemas['EventDetail'];
}
