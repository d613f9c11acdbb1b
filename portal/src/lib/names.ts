/** Names of destinations and routes, where the API has an address of a provider. */
import { api, ok, type Schemas } from '../api/client';
import { strings } from '../strings';
import { useApps, useChannels, useConnections, useDestinations } from './data';
import { useQuery } from './query';
import { useMay } from './session';

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// Names of Slack channels that were seen in this session. A private channel is no longer listed once the bot has left.
const seen = new Map<string, string>();

/** Drops the names with the session that they belong to. */
export function forgetNames(): void {
  seen.clear();
}

/** Channels of the connected Slack workspace. */
export function useSlackChannels(enabled = true) {
  const may = useMay();
  const connections = useConnections();
  const slack = connections.data?.find(({ provider }) => provider === 'slack');
  const id = slack?.id ?? '';
  const channels = useQuery(
    `slack-channels ${id}`,
    async () => {
      const { data } = await ok(api.GET('/v1/connections/{id}/channels', { params: { path: { id } } }));
      for (const channel of data) seen.set(channel.id, channel.name);
      return data;
    },
    { enabled: enabled && id !== '' && may('slack:read') },
  );
  return { channels, missing: connections.data !== undefined && slack === undefined };
}

type Named = Pick<Schemas['Destination'], 'id' | 'kind' | 'name'> & { address?: string };

/** Returns the destination that a delivery or a decision names. */
export function destinationOf(one: { destinationId: string; destinationKind: string; destinationName: string }): Named {
  return { id: one.destinationId, kind: one.destinationKind, name: one.destinationName };
}

export interface Names {
  /** Returns the name of a destination. */
  of: (destination: Named) => string;
  /** Returns the name of a route, or else of what it does. */
  ofRoute: (route: Schemas['Route']) => string;
}

/** Returns the names of destinations, those of Slack channels among them. */
export function useNames(): Names {
  const destinations = useDestinations();
  const known = destinations.data ?? [];
  const channels = useChannels(known.some(({ kind }) => kind === 'channel')).data ?? [];
  const apps = useApps(known.some(({ kind }) => kind === 'integration')).data ?? [];
  useSlackChannels(known.some(({ kind, address }) => kind === 'slack' && !seen.has(address)));
  const of = ({ id, kind, name, address }: Named): string => {
    const at = address ?? known.find((one) => one.id === id)?.address ?? '';
    if (kind === 'slack') return seen.get(at) ?? name.replace(/^channel:/, '');
    // The API names these by the id of what they stand for.
    const named: { id: string; name: string }[] = kind === 'channel' ? channels : kind === 'integration' ? apps : [];
    const found = named.find((one) => one.id === at || one.id === name);
    return found?.name ?? (ID.test(name) ? (strings.kinds[kind] ?? kind) : name || at);
  };
  const ofRoute = (route: Schemas['Route']): string => {
    if (route.name) return route.name;
    const to = known.find(({ id }) => id === route.destinationId);
    return to ? `${route.types.join(', ')} → ${of(to)}` : route.types.join(', ');
  };
  return { of, ofRoute };
}
