/** Pending deliveries of all organisations. */
import { api, ok, type Schemas } from '../../api/client';
import { count } from '../../lib/format';
import { useQuery } from '../../lib/query';
import { strings } from '../../strings';
import type { IconName } from '../../ui/icon';
import { PageHead, Time } from '../../ui/parts';
import { Badge, Empty, Loading, Note, ProblemNote, type Tone } from '../../ui/state';
import { type Column, Table } from '../../ui/table';
import { Destination, Organisation } from './parts';

type Backlog = Schemas['Backlog'];
type State = Schemas['BacklogState'];

const texts = strings.operator.backlog;
const POLL = 10_000;

const LOOKS: Record<State, [Tone, IconName]> = {
  due: ['warn', 'clock'],
  waiting: ['idle', 'pause'],
  sending: ['busy', 'right'],
};

function StateBadge({ state }: { state: State }) {
  const [tone, icon] = LOOKS[state];
  return (
    <Badge tone={tone} icon={icon}>
      {texts.states[state]}
    </Badge>
  );
}

export function BacklogPage() {
  const backlog = useQuery('operator-backlog', () => ok(api.GET('/v1/operator/backlog')), { poll: POLL });
  const { data } = backlog;
  return (
    <>
      <PageHead title={strings.operator.pages.backlog}>{texts.lead}</PageHead>
      <ProblemNote problem={backlog.problem} retry={() => void backlog.refetch()} />
      {backlog.loading && <Loading lines={6} />}
      {data && data.pending === 0 && <Empty title={texts.none}>{texts.noneText}</Empty>}
      {data && data.pending > 0 && <Content backlog={data} />}
    </>
  );
}

function Content({ backlog }: { backlog: Backlog }) {
  return (
    <div class="stack">
      {!backlog.complete && <Note tone="warn">{texts.incomplete}</Note>}
      <Figures backlog={backlog} />
      <Part title={texts.byOrganisation} columns={ORGANISATIONS} rows={backlog.organisations} keyOf={organisationId} />
      <Part title={texts.byDestination} columns={DESTINATIONS} rows={backlog.destinations} keyOf={({ id }) => id} />
      <Part title={texts.byKind} columns={KINDS} rows={backlog.kinds} keyOf={({ kind }) => kind} />
    </div>
  );
}

function Figures({ backlog: { states, pending, oldestAt, dueSince } }: { backlog: Backlog }) {
  return (
    <section class="stack tight" aria-label={texts.byState}>
      <p class="lead">
        {texts.pending}: <strong>{count(pending)}</strong>
        {oldestAt && (
          <>
            {' · '}
            {texts.oldest}: <Time at={oldestAt} />
          </>
        )}
        {dueSince && (
          <>
            {' · '}
            {texts.dueSince}: <Time at={dueSince} />
          </>
        )}
      </p>
      <div class="figures">
        {states.map(({ state, pending: sum, destinations }) => (
          <div key={state} title={texts.meanings[state]}>
            <span class={sum === 0 ? 'figure-number none' : 'figure-number'}>{count(sum)}</span>
            <StateBadge state={state} />
            <span class="muted small block">{texts.destinations(destinations)}</span>
          </div>
        ))}
      </div>
    </section>
  );
}

interface PartProps<T> {
  title: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
}

function Part<T>({ title, columns, rows, keyOf }: PartProps<T>) {
  return (
    <section class="stack tight" aria-label={title}>
      <h2>{title}</h2>
      <Table label={title} columns={columns} rows={rows} keyOf={keyOf} />
    </section>
  );
}

const organisationId = ({ organisation }: Schemas['BacklogByOrganisation']) => organisation.id;

interface Sum {
  pending: number;
  oldestAt: string;
}

const pendingColumn = { name: texts.pending, kind: 'number' as const, cell: ({ pending }: Sum) => count(pending) };
const oldestColumn = {
  name: texts.oldest,
  kind: 'narrow' as const,
  cell: ({ oldestAt }: Sum) => <Time at={oldestAt} />,
};
const countColumn = {
  name: texts.count,
  kind: 'number' as const,
  cell: ({ destinations }: { destinations: number }) => count(destinations),
};

const ORGANISATIONS: Column<Schemas['BacklogByOrganisation']>[] = [
  { name: strings.operator.organisation, kind: 'wide', cell: ({ organisation }) => <Organisation of={organisation} /> },
  countColumn,
  pendingColumn,
  oldestColumn,
];

const DESTINATIONS: Column<Schemas['BacklogDestination']>[] = [
  { name: strings.operator.destination, cell: (row) => <Destination {...row} /> },
  { name: strings.operator.organisation, cell: ({ organisation }) => <Organisation of={organisation} /> },
  { name: texts.state, kind: 'narrow', cell: ({ state }) => <StateBadge state={state} /> },
  pendingColumn,
  oldestColumn,
];

const KINDS: Column<Schemas['BacklogByKind']>[] = [
  { name: texts.kind, kind: 'wide', cell: ({ kind }) => strings.kinds[kind] ?? kind },
  countColumn,
  pendingColumn,
  oldestColumn,
];
