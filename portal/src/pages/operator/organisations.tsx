/** All organisations: how many people and places they have, and how much is going on. */
import { useEffect, useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useDebounced } from '../../lib/query';
import { go, href, type Place, withQuery } from '../../lib/router';
import { strings } from '../../strings';
import { SelectField, TextField } from '../../ui/field';
import { PageHead, Time } from '../../ui/parts';
import { Badge, Empty } from '../../ui/state';
import type { Column } from '../../ui/table';
import { List, Organisation, useWholeList } from './parts';

type Row = Schemas['OperatorOrganisation'];

const texts = strings.operator.organisations;
const { upTo } = strings.operator;

const COLUMNS: Column<Row>[] = [
  { name: strings.operator.organisation, kind: 'wide', cell: (row) => <Organisation of={row} /> },
  { name: texts.members, kind: 'number', cell: ({ members }) => upTo(members) },
  {
    name: texts.destinations,
    kind: 'number',
    cell: ({ destinations, failingDestinations }) => (
      <>
        {failingDestinations > 0 && (
          <>
            <a href={href('/failing')}>
              <Badge tone="bad" icon="cross">
                {texts.failing(upTo(failingDestinations))}
              </Badge>
            </a>{' '}
          </>
        )}
        {upTo(destinations)}
      </>
    ),
  },
  { name: texts.events, kind: 'number', cell: ({ eventsLastDay }) => upTo(eventsLastDay) },
  { name: texts.pending, kind: 'number', cell: ({ pending }) => upTo(pending) },
  {
    name: texts.lastEvent,
    kind: 'narrow',
    cell: ({ lastEventAt }) =>
      lastEventAt ? <Time at={lastEventAt} /> : <span class="muted">{strings.common.never}</span>,
  },
];

export function OrganisationsPage({ here }: { here: Place }) {
  const order = here.query.get('order') === 'slug' ? 'slug' : 'newest';
  const slug = here.query.get('slug') ?? '';
  const list = useWholeList<Row>(`operator-organisations ${order} ${slug}`, (cursor) =>
    ok(api.GET('/v1/operator/organisations', { params: { query: { order, slug: slug || undefined, cursor } } })),
  );
  const empty = slug ? <Empty title={texts.noMatch} /> : <Empty title={texts.none}>{texts.noneText}</Empty>;
  return (
    <>
      <PageHead title={strings.operator.pages.organisations}>{texts.lead}</PageHead>
      <Filters order={order} slug={slug} />
      <List list={list} label={strings.operator.pages.organisations} columns={COLUMNS} empty={empty} />
    </>
  );
}

function Filters({ order, slug }: { order: 'newest' | 'slug'; slug: string }) {
  const [text, setText] = useState(slug);
  // A slug has no capitals and nothing that would have to be refused.
  const settled = useDebounced(text.toLowerCase().replace(/[^a-z0-9-]/g, ''), 300);
  const set = (change: { order?: string; slug?: string }) => {
    const query = { order: order === 'newest' ? undefined : order, slug: slug || undefined, ...change };
    go(withQuery('/', query), { replace: true });
  };
  useEffect(() => {
    if (settled !== slug) set({ slug: settled });
  }, [settled]);
  return (
    <form
      role="search"
      class="filters"
      aria-label={strings.operator.pages.organisations}
      onSubmit={(event) => event.preventDefault()}
    >
      <TextField type="search" label={texts.slug} value={text} placeholder="acme" onInput={setText} />
      <SelectField
        label={texts.order}
        value={order}
        options={[
          ['newest', texts.orders.newest],
          ['slug', texts.orders.slug],
        ]}
        onChange={(wanted) => set({ order: wanted === 'newest' ? undefined : wanted })}
      />
    </form>
  );
}
