/** Home: what is connected, where things go, and what needs somebody. */
import { useEffect } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { useConnections, useDestinations, useRoutes } from '../lib/data';
import { count } from '../lib/format';
import { useQuery } from '../lib/query';
import { go, href, type Place } from '../lib/router';
import { useMay, useSession } from '../lib/session';
import { strings } from '../strings';
import { LinkButton } from '../ui/button';
import { PageHead } from '../ui/parts';
import { DeliveryBadge, Empty, Loading, ProblemNote } from '../ui/state';
import { say } from '../ui/toast';
import { ConnectButtons, ConnectionCard } from './home/connection';
import { DestinationCard } from './home/destination';
import { isReady, Steps } from './home/steps';

const POLL = 5000;

/** Says what came of connecting a provider, as told by the address that its pages lead back to. */
function useReturn({ query }: Place, refetch: () => Promise<void>) {
  const connected = query.get('connected');
  const failed = query.has('error');
  useEffect(() => {
    if (connected !== 'slack' && connected !== 'github') return;
    const name = strings.home.providers[connected];
    if (failed) say(strings.home.notConnected(name), { bad: true });
    else say(strings.home.connectedNow(name));
    go('/', { replace: true });
    void refetch();
  }, [connected, failed]);
}

export function HomePage({ here }: { here: Place }) {
  const may = useMay();
  const { organisation } = useSession();
  const connections = useConnections(POLL);
  const destinations = useDestinations(POLL);
  const routes = useRoutes();
  useReturn(here, connections.refetch);
  const refetch = () => void Promise.all([connections.refetch(), destinations.refetch()]);
  const { data: all } = destinations;
  const loaded = connections.data && all && routes.data;
  const steps = { connections: connections.data ?? [], destinations: all ?? [], routes: routes.data ?? [] };
  const manages = may('routes:manage') && (may('slack:manage') || may('github:manage'));
  const ready = !loaded || !manages || isReady(steps);
  const needed = all?.some(({ health }) => health !== 'healthy') ?? false;
  return (
    <>
      <PageHead title={strings.home.title}>{organisation.name}</PageHead>
      <div class="stack">
        {!ready && <Steps {...steps} />}
        <Figures />
        {needed && <Destinations query={destinations} refetch={refetch} />}
        <Connections query={connections} refetch={refetch} ready={ready} />
        {!needed && <Destinations query={destinations} refetch={refetch} />}
      </div>
    </>
  );
}

interface PartProps<T> {
  query: { data: T[] | undefined; problem: Parameters<typeof ProblemNote>[0]['problem']; loading: boolean };
  refetch: () => void;
}

function Connections({ query, refetch, ready }: PartProps<Schemas['Connection']> & { ready: boolean }) {
  const connections = query.data;
  const settled = connections ?? [];
  // The steps above say the same.
  if (!ready && settled.length === 0 && !query.problem) return null;
  return (
    <section class="stack tight" aria-labelledby="connections">
      <div class="spread">
        <h2 id="connections">{strings.home.connections}</h2>
        {settled.length > 0 && ready && <ConnectButtons connections={settled} />}
      </div>
      <ProblemNote problem={query.problem} retry={refetch} />
      {query.loading && <Loading lines={2} />}
      {connections && connections.length === 0 && (
        <Empty title={strings.home.noConnections}>{strings.home.noConnectionsText}</Empty>
      )}
      <div class="grid wide">
        {settled.map((connection) => (
          <ConnectionCard key={connection.id} connection={connection} refetch={refetch} />
        ))}
      </div>
    </section>
  );
}

/** Destinations that need somebody come first. */
function byNeed(a: Schemas['Destination'], b: Schemas['Destination']): number {
  const need = (one: Schemas['Destination']) => (one.health === 'healthy' ? (one.pausedReason ? 1 : 2) : 0);
  return need(a) - need(b) || a.name.localeCompare(b.name);
}

function Destinations({ query, refetch }: PartProps<Schemas['Destination']>) {
  const may = useMay();
  if (!may('routes:read')) return null;
  // The channel of the Slack connection itself is a destination that has no address until it is chosen.
  const destinations = query.data?.filter(({ address, lastSentAt }) => address !== '' || lastSentAt);
  return (
    <section class="stack tight" aria-labelledby="destinations">
      <div class="spread">
        <h2 id="destinations">{strings.home.destinations}</h2>
        {may('routes:manage') && (
          <LinkButton href={href('/routes/new')} icon="plus">
            {strings.home.newRoute}
          </LinkButton>
        )}
      </div>
      <ProblemNote problem={query.problem} retry={refetch} />
      {query.loading && <Loading lines={2} />}
      {destinations && destinations.length === 0 && (
        <Empty title={strings.home.noDestinations}>{strings.home.noDestinationsText}</Empty>
      )}
      <div class="grid wide">
        {[...(destinations ?? [])].sort(byNeed).map((destination) => (
          <DestinationCard key={destination.id} destination={destination} refetch={refetch} />
        ))}
      </div>
    </section>
  );
}

const STATES = ['delivered', 'failed', 'pending', 'skipped'] as const;

/** Sums of the last 24 hours; each leads to its deliveries. */
function Figures() {
  const may = useMay();
  const statistics = useQuery('statistics', () => ok(api.GET('/v1/statistics')), {
    poll: 30_000,
    enabled: may('deliveries:read'),
  });
  const hours = statistics.data?.data ?? [];
  if (hours.length === 0) return null;
  return (
    <section aria-label={strings.home.last24} class="stack tight">
      <h2>{strings.home.last24}</h2>
      <div class="figures">
        {STATES.map((state) => {
          const sum = hours.reduce((all, hour) => all + hour[state], 0);
          return (
            <a key={state} href={href('/deliveries', { state, since: 'day' })}>
              <span class={sum === 0 ? 'figure-number none' : 'figure-number'}>{count(sum)}</span>
              <DeliveryBadge state={state} />
            </a>
          );
        })}
      </div>
    </section>
  );
}
