/** The list of deliveries: filters in the address, live, thousands of rows. */
import { useEffect, useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { kindIcon, useDestinations } from '../lib/data';
import { count } from '../lib/format';
import { destinationOf, type Names, useNames } from '../lib/names';
import { usePages } from '../lib/pages';
import { PERIODS, sinceOf } from '../lib/period';
import { useDebounced } from '../lib/query';
import { go, href, type Place, withQuery } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button } from '../ui/button';
import { SelectField, TextField } from '../ui/field';
import { Icon } from '../ui/icon';
import { PageHead, Time } from '../ui/parts';
import { ReplayFailed } from '../ui/replay';
import { DeliveryBadge, Empty, Loading, Note, ProblemNote } from '../ui/state';
import { type Column, Table } from '../ui/table';

type Delivery = Schemas['Delivery'];

const texts = strings.deliveries;
const POLL = 4000;
const PAGE = 100;
const STATES: Schemas['DeliveryState'][] = ['delivered', 'failed', 'pending', 'skipped'];

interface Filters {
  state: string;
  destinationId: string;
  type: string;
  since: string;
  text: string;
}

function filtersOf(query: URLSearchParams): Filters {
  const of = (name: string) => query.get(name) ?? '';
  return {
    state: of('state'),
    destinationId: of('destinationId'),
    type: of('type'),
    since: of('since'),
    text: of('text'),
  };
}

const columnsOf = (names: Names): Column<Delivery>[] => [
  { name: texts.state, kind: 'narrow', cell: ({ state }) => <DeliveryBadge state={state} /> },
  {
    name: texts.type,
    cell: ({ id, eventType }) => (
      <a class="clip" href={href(`/deliveries/${id}`)}>
        {eventType}
      </a>
    ),
  },
  {
    name: texts.destination,
    cell: (delivery) => (
      <span class="clip">
        <Icon name={kindIcon(delivery.destinationKind)} /> {names.of(destinationOf(delivery))}
      </span>
    ),
  },
  {
    name: texts.reason,
    kind: 'wide',
    cell: ({ reason }) =>
      reason ? (
        <span class="clip muted" title={reason}>
          {reason}
        </span>
      ) : null,
  },
  { name: texts.attempts, kind: 'number', cell: ({ attemptCount }) => count(attemptCount) },
  { name: texts.time, kind: 'narrow', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

function useDeliveries(filters: Filters) {
  const key = JSON.stringify(filters);
  const { state, destinationId, type, since, text } = filters;
  return usePages<Delivery>(
    key,
    (cursor) => {
      const query = {
        limit: PAGE,
        cursor,
        state: STATES.find((one) => one === state),
        destinationId: destinationId || undefined,
        type: type || undefined,
        text: text || undefined,
        since: sinceOf(since),
      };
      return ok(api.GET('/v1/deliveries', { params: { query } }));
    },
    POLL,
  );
}

export function DeliveriesPage({ here }: { here: Place }) {
  const may = useMay();
  const filters = filtersOf(here.query);
  const destinations = useDestinations();
  const pages = useDeliveries(filters);
  const [replaying, setReplaying] = useState(false);
  const filtered = Object.values(filters).some(Boolean);
  const known = destinations.data ?? [];
  const replayFailed = known.length > 0 && may('deliveries:replay') && (
    <Button onClick={() => setReplaying(true)}>{texts.replayFailed}</Button>
  );
  return (
    <>
      <PageHead title={texts.title} actions={replayFailed}>
        {texts.lead}
      </PageHead>
      <FilterBar filters={filters} destinations={known} filtered={filtered} />
      <ProblemNote problem={pages.problem} retry={() => void pages.refetch()} />
      <List pages={pages} filtered={filtered} />
      {replaying && (
        <ReplayFailed
          destinations={known}
          destinationId={filters.destinationId || undefined}
          onClose={() => setReplaying(false)}
          onDone={() => void pages.refetch()}
        />
      )}
    </>
  );
}

function List({ pages, filtered }: { pages: ReturnType<typeof useDeliveries>; filtered: boolean }) {
  const names = useNames();
  const { rows, loading, more, loadMore } = pages;
  if (loading) return <Loading lines={8} />;
  if (rows.length === 0) {
    if (more) {
      return (
        <Note tone="idle">
          <p>{texts.searchedPart}</p>
          <Button onClick={() => void loadMore()}>{texts.searchOn}</Button>
        </Note>
      );
    }
    return filtered ? <Empty title={texts.noMatch} /> : <Empty title={texts.none}>{texts.noneText}</Empty>;
  }
  return (
    <div class="stack tight">
      <p class="muted small" role="status">
        {texts.shown(rows.length, more)} <span class="visually-hidden">{texts.live}</span>
      </p>
      <Table
        label={texts.title}
        columns={columnsOf(names)}
        rows={rows}
        keyOf={({ id }) => id}
        windowed
        onEnd={more ? () => void loadMore() : undefined}
        total={more ? -1 : undefined}
      />
      {more && (
        <div class="actions">
          <Button onClick={() => void loadMore()}>{strings.common.loadMore}</Button>
        </div>
      )}
    </div>
  );
}

interface FilterProps {
  filters: Filters;
  destinations: Schemas['Destination'][];
  filtered: boolean;
}

function FilterBar({ filters, destinations, filtered }: FilterProps) {
  const names = useNames();
  const [type, setType] = useState(filters.type);
  const [text, setText] = useState(filters.text);
  const settled = useDebounced({ type: type.trim(), text: text.trim() }, 300);
  const set = (change: Partial<Filters>) => go(withQuery('/deliveries', { ...filters, ...change }), { replace: true });
  useEffect(() => {
    if (settled.type !== filters.type || settled.text !== filters.text) set(settled);
  }, [settled.type, settled.text]);
  const clear = () => {
    setType('');
    setText('');
    go('/deliveries', { replace: true });
  };
  return (
    <form role="search" class="filters" aria-label={texts.title} onSubmit={(event) => event.preventDefault()}>
      <SelectField
        label={texts.state}
        value={filters.state}
        options={[['', strings.common.any], ...STATES.map((state): [string, string] => [state, strings.states[state]])]}
        onChange={(state) => set({ state })}
      />
      <SelectField
        label={texts.destination}
        value={filters.destinationId}
        options={[
          ['', strings.common.any],
          ...destinations.map((destination): [string, string] => [destination.id, names.of(destination)]),
        ]}
        onChange={(destinationId) => set({ destinationId })}
      />
      <TextField type="search" label={texts.type} value={type} placeholder={texts.typeHint} onInput={setType} />
      <SelectField label={texts.since} value={filters.since} options={PERIODS} onChange={(since) => set({ since })} />
      <TextField type="search" label={texts.text} value={text} onInput={setText} />
      {filtered && (
        <Button look="quiet" onClick={clear}>
          {texts.clear}
        </Button>
      )}
    </form>
  );
}
