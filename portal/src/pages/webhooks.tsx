/** The lists of incoming and outgoing webhooks. */
import { all, api, ok, type Schemas } from '../api/client';
import { useQuery } from '../lib/query';
import { href } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { LinkButton } from '../ui/button';
import { Card, PageHead, Tabs } from '../ui/parts';
import { Badge, EnabledBadge, Loading, ProblemNote } from '../ui/state';
import { type Column, Table } from '../ui/table';
import { TABS } from './apps';

const texts = strings.webhooks;

export function WebhooksPage() {
  return (
    <>
      <PageHead title={texts.title}>{texts.lead}</PageHead>
      <Tabs label={strings.apps.parts} tabs={TABS} current="/webhooks" />
      <div class="stack">
        <Incoming />
        <Outgoing />
      </div>
    </>
  );
}

type Hook = Schemas['IncomingWebhook'] | Schemas['OutgoingWebhook'];

function State({ webhook: { enabled, scriptError, scriptEnabled } }: { webhook: Hook }) {
  return (
    <span class="flow">
      <EnabledBadge enabled={enabled} />
      {scriptEnabled && scriptError && (
        <Badge tone="bad" icon="cross">
          {texts.scriptError}
        </Badge>
      )}
    </span>
  );
}

const INCOMING: Column<Schemas['IncomingWebhook']>[] = [
  { name: texts.name, cell: ({ id, name }) => <a href={href(`/webhooks/incoming/${id}`)}>{name}</a> },
  { name: texts.channels, cell: ({ channels }) => channels.join(', ') },
  { name: texts.state, cell: (webhook) => <State webhook={webhook} /> },
];

const OUTGOING: Column<Schemas['OutgoingWebhook']>[] = [
  { name: texts.name, cell: ({ id, name }) => <a href={href(`/webhooks/outgoing/${id}`)}>{name}</a> },
  { name: texts.event, cell: ({ event }) => texts.events[event] },
  { name: texts.target, cell: ({ urls }) => urls.join(', ') },
  { name: texts.state, cell: (webhook) => <State webhook={webhook} /> },
];

function Incoming() {
  const may = useMay();
  const manages = may('manage-incoming-integrations') || may('manage-own-incoming-integrations');
  const list = useQuery('incoming-webhooks', () =>
    all((cursor) => ok(api.GET('/v1/incoming-webhooks', { params: { query: { limit: 250, cursor } } }))),
  );
  const action = manages && (
    <LinkButton href={href('/webhooks/incoming/new')} icon="plus">
      {texts.newIncoming}
    </LinkButton>
  );
  return (
    <Card title={texts.incoming} aside={action}>
      <p class="muted">{texts.incomingText}</p>
      <ProblemNote problem={list.problem} retry={() => void list.refetch()} />
      {list.loading && <Loading lines={2} />}
      {list.data?.length === 0 && <p class="strong">{texts.noneIncoming}</p>}
      {list.data && list.data.length > 0 && (
        <Table label={texts.incoming} columns={INCOMING} rows={list.data} keyOf={({ id }) => id} />
      )}
    </Card>
  );
}

function Outgoing() {
  const may = useMay();
  const manages = may('manage-outgoing-integrations') || may('manage-own-outgoing-integrations');
  const list = useQuery('outgoing-webhooks', () =>
    all((cursor) => ok(api.GET('/v1/outgoing-webhooks', { params: { query: { limit: 250, cursor } } }))),
  );
  const action = manages && (
    <LinkButton href={href('/webhooks/outgoing/new')} icon="plus">
      {texts.newOutgoing}
    </LinkButton>
  );
  return (
    <Card title={texts.outgoing} aside={action}>
      <p class="muted">{texts.outgoingText}</p>
      <ProblemNote problem={list.problem} retry={() => void list.refetch()} />
      {list.loading && <Loading lines={2} />}
      {list.data?.length === 0 && <p class="strong">{texts.noneOutgoing}</p>}
      {list.data && list.data.length > 0 && (
        <Table label={texts.outgoing} columns={OUTGOING} rows={list.data} keyOf={({ id }) => id} />
      )}
    </Card>
  );
}
