/** Parts of the operators' pages: an organisation, a destination of one, a list that is read anew as a whole. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Schemas } from '../../api/client';
import { kindIcon } from '../../lib/data';
import { type Pages, usePages } from '../../lib/pages';
import { strings } from '../../strings';
import { Button, CopyButton } from '../../ui/button';
import { Icon } from '../../ui/icon';
import { Loading, ProblemNote } from '../../ui/state';
import { type Column, Table } from '../../ui/table';

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** An organisation by its name and slug; the id is behind its button. */
export function Organisation({ of }: { of: Schemas['OwningOrganisation'] }) {
  return (
    <span class="row">
      <span>
        {of.name} {of.name !== of.slug && <span class="muted">{of.slug}</span>}
      </span>
      <CopyButton small text={of.id} name={`${strings.common.copyId}: ${of.slug}`} />
    </span>
  );
}

/** A destination by its name, or by its kind where the name is an id. */
export function Destination({ kind, name }: { kind: string; name: string }) {
  const label = strings.kinds[kind] ?? kind;
  return (
    <span class="clip" title={label}>
      <Icon name={kindIcon(kind)} /> {ID.test(name) ? label : name.replace(/^(channel|user):/, '')}
    </span>
  );
}

interface WholeList<T extends { id: string }> {
  pages: Pages<T>;
  /** Reads the list from its beginning. */
  again: () => void;
}

/** Reads a list in another order than that of the ids: what was read is never merged with what is read anew. */
export function useWholeList<T extends { id: string }>(
  key: string,
  load: (cursor?: string) => Promise<{ data: T[]; nextCursor?: string }>,
): WholeList<T> {
  const [turn, setTurn] = useState(0);
  return { pages: usePages<T>(`${key} ${turn}`, load), again: () => setTurn(turn + 1) };
}

interface ListProps<T extends { id: string }> {
  list: WholeList<T>;
  label: string;
  columns: Column<T>[];
  empty: ComponentChildren;
}

/** A list with its states: loading, refused, empty, and more to come. */
export function List<T extends { id: string }>({ list, label, columns, empty }: ListProps<T>) {
  const { rows, loading, problem, more, loadMore } = list.pages;
  return (
    <div class="stack tight">
      <ProblemNote problem={problem} retry={list.again} />
      {loading && <Loading lines={6} />}
      {!loading && !problem && rows.length === 0 && empty}
      {rows.length > 0 && <Table label={label} columns={columns} rows={rows} keyOf={({ id }) => id} />}
      {more && (
        <div class="actions">
          <Button onClick={() => void loadMore()}>{strings.common.loadMore}</Button>
        </div>
      )}
    </div>
  );
}
