/** The list of routes. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { kindIcon, useDestinations, useRoutes } from '../lib/data';
import { type Names, useNames } from '../lib/names';
import { useChange } from '../lib/query';
import { href } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { LinkButton } from '../ui/button';
import { CheckField, TextField } from '../ui/field';
import { Icon } from '../ui/icon';
import { PageHead } from '../ui/parts';
import { Badge, Empty, EnabledBadge, Loading, ProblemNote } from '../ui/state';
import { type Column, Table } from '../ui/table';
import { say } from '../ui/toast';

type Route = Schemas['Route'];

export function RoutesPage() {
  const may = useMay();
  const routes = useRoutes(10_000);
  const destinations = useDestinations();
  const names = useNames();
  const [text, setText] = useState('');
  const toggle = useToggle(() => void routes.refetch());
  const named = (routes.data ?? []).map((route) => ({ route, name: names.ofRoute(route) }));
  const rows = named.filter(({ name, route }) =>
    `${name} ${route.types.join(' ')}`.toLowerCase().includes(text.toLowerCase()),
  );
  const columns = columnsOf(destinations.data ?? [], names, may('routes:manage') ? toggle.run : undefined);
  const newRoute = (
    <LinkButton href={href('/routes/new')} look="primary" icon="plus">
      {strings.routes.new}
    </LinkButton>
  );
  return (
    <>
      <PageHead title={strings.routes.title} actions={may('routes:manage') && newRoute}>
        {strings.routes.lead}
      </PageHead>
      <div class="stack">
        <ProblemNote problem={routes.problem ?? toggle.problem} retry={() => void routes.refetch()} />
        {routes.loading && <Loading />}
        {routes.data && routes.data.length === 0 && (
          <Empty title={strings.routes.none} action={may('routes:manage') && newRoute}>
            {strings.routes.noneText}
          </Empty>
        )}
        {named.length > 8 && (
          <div class="search">
            <TextField type="search" label={strings.routes.search} value={text} onInput={setText} />
          </div>
        )}
        {named.length > 0 && rows.length === 0 && <Empty title={strings.routes.noMatch} />}
        {rows.length > 0 && (
          <Table label={strings.routes.title} columns={columns} rows={rows} keyOf={({ route }) => route.id} />
        )}
      </div>
    </>
  );
}

interface Row {
  route: Route;
  name: string;
}

function useToggle(refetch: () => void) {
  return useChange(async ({ route, name }: Row) => {
    const enabled = !route.enabled;
    await ok(api.PATCH('/v1/routes/{id}', { params: { path: { id: route.id } }, body: { enabled } }));
    say(enabled ? strings.routes.enabledNow(name) : strings.routes.disabledNow(name));
    refetch();
  });
}

function columnsOf(
  destinations: Schemas['Destination'][],
  names: Names,
  toggle: ((row: Row) => unknown) | undefined,
): Column<Row>[] {
  const columns: Column<Row>[] = [
    { name: strings.routes.name, cell: ({ route, name }) => <a href={href(`/routes/${route.id}`)}>{name}</a> },
    { name: strings.routes.when, cell: ({ route }) => <Sources route={route} /> },
    {
      name: strings.routes.to,
      cell: ({ route }) => (
        <Target names={names} destination={destinations.find(({ id }) => id === route.destinationId)} />
      ),
    },
    { name: strings.routes.state, cell: ({ route }) => <RouteState route={route} /> },
  ];
  if (!toggle) return columns;
  const actions: Column<Row> = {
    name: strings.common.actions,
    kind: 'actions',
    cell: (row) =>
      row.route.managedBy ? null : (
        <CheckField
          kind="switch"
          checked={row.route.enabled}
          label={<span class="visually-hidden">{strings.routes.enable(row.name)}</span>}
          onChange={() => toggle(row)}
        />
      ),
  };
  return [...columns, actions];
}

function Sources({ route }: { route: Route }) {
  const sources = route.sources.filter((source) => source !== '*');
  const from = sources.map((source) => strings.sources[source] ?? source).join(', ') || strings.routes.anySource;
  return (
    <span class="flow">
      {route.types.map((type) => (
        <code key={type} class="chip">
          {type}
        </code>
      ))}
      <span class="muted">{from}</span>
    </span>
  );
}

function Target({ names, destination }: { names: Names; destination: Schemas['Destination'] | undefined }) {
  if (!destination) return <span class="muted">{strings.routes.firstEvent}</span>;
  return (
    <span class="flow line">
      <Icon name={kindIcon(destination.kind)} />
      {names.of(destination)}
    </span>
  );
}

function RouteState({ route }: { route: Route }) {
  const reason = route.disabledReason ?? route.pausedReason;
  return (
    <span class="flow">
      {route.pausedReason && route.enabled ? (
        <Badge tone="idle" icon="pause">
          {strings.states.paused}
        </Badge>
      ) : (
        <EnabledBadge enabled={route.enabled} />
      )}
      {reason && <span class="muted small">{reason}</span>}
      {route.managedBy && <span class="muted small">{strings.routes.managed[route.managedBy] ?? route.managedBy}</span>}
    </span>
  );
}
