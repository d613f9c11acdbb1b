/** Destinations of all organisations to which nothing arrives. */
import { api, ok, type Schemas } from '../../api/client';
import { go, type Place, withQuery } from '../../lib/router';
import { strings } from '../../strings';
import { SelectField } from '../../ui/field';
import { PageHead, Time } from '../../ui/parts';
import { Empty } from '../../ui/state';
import type { Column } from '../../ui/table';
import { Destination, List, Organisation, useWholeList } from './parts';

type Row = Schemas['FailingDestination'];

const texts = strings.operator.failing;

const COLUMNS: Column<Row>[] = [
  { name: strings.operator.destination, cell: (row) => <Destination {...row} /> },
  { name: strings.operator.organisation, cell: ({ organisation }) => <Organisation of={organisation} /> },
  { name: texts.since, kind: 'narrow', cell: ({ since }) => <Time at={since} /> },
  {
    name: texts.reason,
    kind: 'wide',
    cell: ({ reason }) => (
      <span class="muted" title={reason}>
        {reason}
      </span>
    ),
  },
];

export function FailingPage({ here }: { here: Place }) {
  const health = here.query.get('health') === 'disabled' ? 'disabled' : 'failing';
  const list = useWholeList<Row>(`operator-failing ${health}`, (cursor) =>
    ok(api.GET('/v1/operator/failing-destinations', { params: { query: { health, cursor } } })),
  );
  return (
    <>
      <PageHead title={strings.operator.pages.failing}>{texts.lead}</PageHead>
      <form role="search" class="filters" aria-label={texts.health} onSubmit={(event) => event.preventDefault()}>
        <SelectField
          label={texts.health}
          value={health}
          options={[
            ['failing', strings.states.failing],
            ['disabled', strings.states.disabled],
          ]}
          onChange={(wanted) =>
            go(withQuery('/failing', { health: wanted === 'failing' ? undefined : wanted }), { replace: true })
          }
        />
      </form>
      <List
        list={list}
        label={strings.operator.pages.failing}
        columns={COLUMNS}
        empty={<Empty title={texts.none[health]} />}
      />
    </>
  );
}
