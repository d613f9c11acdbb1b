/** The audit log: who changed what, newest first. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useMembers } from '../../lib/data';
import { usePages } from '../../lib/pages';
import { useDebounced } from '../../lib/query';
import { useSession } from '../../lib/session';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Time } from '../../ui/parts';
import { Empty, Loading, ProblemNote } from '../../ui/state';
import { type Column, Table } from '../../ui/table';

type Entry = Schemas['AuditEntry'];

const texts = strings.organisation;
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** Facts of a change as text; ids say nothing to a reader. */
function factsOf(detail: unknown): string {
  if (typeof detail !== 'object' || detail === null) return '';
  return Object.entries(detail)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const)
    .filter(([, value]) => value !== undefined && !ID.test(value))
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ');
}

export function AuditLog() {
  const { organisation } = useSession();
  const members = useMembers(organisation.id);
  const [action, setAction] = useState('');
  const wanted = useDebounced(action.trim(), 300);
  const entries = usePages<Entry>(`audit ${wanted}`, (cursor) =>
    ok(api.GET('/v1/audit-log', { params: { query: { limit: 50, cursor, action: wanted || undefined } } })),
  );
  const nameOf = (actor: string) =>
    texts.actors[actor] ?? members.data?.find(({ userId }) => userId === actor)?.username ?? texts.formerMember;
  const columns: Column<Entry>[] = [
    { name: texts.time, cell: ({ createdAt }) => <Time at={createdAt} /> },
    { name: texts.actor, cell: ({ actor }) => nameOf(actor) },
    { name: texts.action, cell: (entry) => <code>{entry.action}</code> },
    { name: texts.detail, cell: ({ detail }) => <span class="muted">{factsOf(detail)}</span> },
  ];
  return (
    <div class="stack">
      <div class="search">
        <TextField
          type="search"
          label={texts.action}
          value={action}
          placeholder={texts.actionHint}
          onInput={setAction}
        />
      </div>
      <ProblemNote problem={entries.problem} retry={() => void entries.refetch()} />
      {entries.loading && <Loading />}
      {!entries.loading && entries.rows.length === 0 && <Empty title={texts.noAudit} />}
      {entries.rows.length > 0 && (
        <Table label={texts.audit} columns={columns} rows={entries.rows} keyOf={({ id }) => id} />
      )}
      {entries.more && (
        <div class="actions">
          <Button onClick={() => void entries.loadMore()}>{strings.common.loadMore}</Button>
        </div>
      )}
    </div>
  );
}
