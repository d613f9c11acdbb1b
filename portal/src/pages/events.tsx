/** The list of events, and a form that sends one. */
import { useEffect, useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { usePages } from '../lib/pages';
import { PERIODS, sinceOf } from '../lib/period';
import { useChange, useDebounced } from '../lib/query';
import { go, href, type Place, withQuery } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button } from '../ui/button';
import { Dialog } from '../ui/dialog';
import { AreaField, SelectField, TextField } from '../ui/field';
import { PageHead, Time } from '../ui/parts';
import { Empty, Loading, Note, ProblemNote } from '../ui/state';
import { type Column, Table } from '../ui/table';
import { say } from '../ui/toast';

type Event = Schemas['Event'];

const texts = strings.events;
const SOURCES = ['api', 'slack', 'github', 'channel', 'tieline'];

const COLUMNS: Column<Event>[] = [
  {
    name: texts.type,
    cell: ({ id, type }) => (
      <a class="clip" href={href(`/events/${id}`)}>
        {type}
      </a>
    ),
  },
  { name: texts.source, kind: 'narrow', cell: ({ source }) => strings.sources[source] ?? source },
  { name: texts.data, kind: 'wide', cell: ({ data, attributes }) => <Outline data={data} attributes={attributes} /> },
  { name: texts.time, kind: 'narrow', cell: ({ createdAt }) => <Time at={createdAt} /> },
];

function Outline({ data, attributes }: Pick<Event, 'data' | 'attributes'>) {
  const parts = [attributes && Object.keys(attributes).length > 0 ? attributes : undefined, data];
  const text = parts.filter((part) => part !== undefined).map((part) => JSON.stringify(part).slice(0, 200));
  return <code class="clip muted">{text.join(' ')}</code>;
}

interface Filters {
  type: string;
  source: string;
  attribute: string;
  since: string;
}

export function EventsPage({ here: { query } }: { here: Place }) {
  const may = useMay();
  const of = (name: string) => query.get(name) ?? '';
  const filters: Filters = { type: of('type'), source: of('source'), attribute: of('attribute'), since: of('since') };
  const pages = usePages<Event>(
    JSON.stringify(filters),
    (cursor) => {
      const wanted = { limit: 100, cursor, type: filters.type || undefined, source: filters.source || undefined };
      const attribute = filters.attribute.includes(':') ? filters.attribute : undefined;
      return ok(api.GET('/v1/events', { params: { query: { ...wanted, attribute, since: sinceOf(filters.since) } } }));
    },
    5000,
  );
  const [sending, setSending] = useState(false);
  const send = may('events:write') && (
    <Button look="primary" onClick={() => setSending(true)}>
      {texts.send}
    </Button>
  );
  return (
    <>
      <PageHead title={texts.title} actions={send}>
        {texts.lead}
      </PageHead>
      <FilterBar filters={filters} />
      <ProblemNote problem={pages.problem} retry={() => void pages.refetch()} />
      {!pages.problem && <List pages={pages} filtered={Object.values(filters).some(Boolean)} />}
      {sending && <SendEvent onClose={() => setSending(false)} onSent={() => void pages.refetch()} />}
    </>
  );
}

function List({ pages, filtered }: { pages: ReturnType<typeof usePages<Event>>; filtered: boolean }) {
  const { rows, loading, more, loadMore } = pages;
  if (loading) return <Loading lines={8} />;
  if (rows.length === 0 && more) {
    return (
      <Note tone="idle">
        <p>{strings.deliveries.searchedPart}</p>
        <Button onClick={() => void loadMore()}>{strings.deliveries.searchOn}</Button>
      </Note>
    );
  }
  if (rows.length === 0)
    return filtered ? <Empty title={texts.noMatch} /> : <Empty title={texts.none}>{texts.noneText}</Empty>;
  return (
    <Table
      label={texts.title}
      columns={COLUMNS}
      rows={rows}
      keyOf={({ id }) => id}
      windowed
      onEnd={more ? () => void loadMore() : undefined}
      total={more ? -1 : undefined}
    />
  );
}

function FilterBar({ filters }: { filters: Filters }) {
  const [type, setType] = useState(filters.type);
  const [attribute, setAttribute] = useState(filters.attribute);
  const settled = useDebounced({ type: type.trim(), attribute: attribute.trim() }, 300);
  const set = (change: Partial<Filters>) => go(withQuery('/events', { ...filters, ...change }), { replace: true });
  useEffect(() => {
    if (settled.type !== filters.type || settled.attribute !== filters.attribute) set(settled);
  }, [settled.type, settled.attribute]);
  return (
    <form role="search" class="filters" aria-label={texts.title} onSubmit={(event) => event.preventDefault()}>
      <TextField type="search" label={texts.type} value={type} placeholder="order.*" onInput={setType} />
      <SelectField
        label={texts.source}
        value={filters.source}
        options={[
          ['', strings.common.any],
          ...SOURCES.map((one): [string, string] => [one, strings.sources[one] ?? one]),
        ]}
        onChange={(source) => set({ source })}
      />
      <TextField
        type="search"
        label={texts.attribute}
        value={attribute}
        placeholder={texts.attributeHint}
        onInput={setAttribute}
      />
      <SelectField
        label={strings.deliveries.since}
        value={filters.since}
        options={PERIODS}
        onChange={(since) => set({ since })}
      />
    </form>
  );
}

/** Reads lines of `name: value`. */
function attributesOf(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim().match(/^([^:]+):\s*(.+)$/));
  return Object.fromEntries(
    lines.flatMap((found) => (found ? [[(found[1] ?? '').trim(), (found[2] ?? '').trim()]] : [])),
  );
}

function parsed(text: string): { data?: unknown; valid: boolean } {
  if (!text.trim()) return { valid: true };
  try {
    return { data: JSON.parse(text), valid: true };
  } catch {
    return { valid: false };
  }
}

function SendEvent({ onClose, onSent }: { onClose: () => void; onSent: () => void }) {
  const [type, setType] = useState('order.created');
  const [attributes, setAttributes] = useState('region: eu');
  const [data, setData] = useState('{\n  "total": 120\n}');
  const { data: value, valid } = parsed(data);
  const send = useChange(async () => {
    const set = attributesOf(attributes);
    await ok(api.POST('/v1/events', { body: { type: type.trim(), attributes: set, data: value } }));
    say(texts.sent);
    onSent();
    onClose();
  });
  const actions = (
    <>
      <Button onClick={onClose}>{strings.common.cancel}</Button>
      <Button look="primary" busy={send.busy} disabled={!valid || !type.trim()} onClick={() => void send.run()}>
        {texts.send}
      </Button>
    </>
  );
  return (
    <Dialog title={texts.sendTitle} onClose={onClose} actions={actions}>
      <TextField label={texts.type} value={type} onInput={setType} required mono />
      <AreaField
        label={texts.attributes}
        value={attributes}
        rows={2}
        hint={texts.attributesHint}
        onInput={setAttributes}
        optional
      />
      <AreaField
        label={texts.data}
        value={data}
        rows={6}
        hint={texts.dataHint}
        fault={valid ? undefined : texts.dataFault}
        onInput={setData}
        optional
      />
      <ProblemNote problem={send.problem} />
    </Dialog>
  );
}
