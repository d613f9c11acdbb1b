/** Tables that become cards on small screens. A long one keeps only the rows in the document that are on the screen. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Column<T> {
  name: string;
  cell: (row: T) => ComponentChildren;
  /** A name for the column's width, such as `wide`. */
  kind?: 'wide' | 'narrow' | 'actions' | 'number';
}

interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  /** True for lists of thousands: rows have one height each and are drawn when they are in view. */
  windowed?: boolean;
  /** Called when the end comes into view. */
  onEnd?: (() => void) | undefined;
  total?: number | undefined;
}

const OVERSCAN = 12;

interface Span {
  first: number;
  last: number;
  height: number;
}

function useWindow(length: number, windowed: boolean) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [span, setSpan] = useState<Span>({ first: 0, last: 60, height: 0 });
  useEffect(() => {
    if (!windowed) return;
    const measure = () => {
      const rows = body.current;
      const sample = rows?.querySelector<HTMLElement>('tr[data-row]');
      if (!rows || !sample) return;
      const height = sample.getBoundingClientRect().height || 1;
      const above = Math.max(0, -rows.getBoundingClientRect().top);
      const first = Math.max(0, Math.floor(above / height) - OVERSCAN);
      const last = first + Math.ceil(window.innerHeight / height) + 2 * OVERSCAN;
      setSpan((before) =>
        before.first === first && before.last === last && before.height === height ? before : { first, last, height },
      );
    };
    measure();
    window.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, [windowed, length]);
  return { body, ...(windowed ? span : { first: 0, last: length, height: 0 }) };
}

export function Table<T>({ label, columns, rows, keyOf, windowed = false, onEnd, total }: TableProps<T>) {
  const { body, first, last, height } = useWindow(rows.length, windowed);
  const shown = rows.slice(first, last);
  const below = Math.max(0, rows.length - last);
  useLayoutEffect(() => {
    if (below < OVERSCAN && rows.length > 0) onEnd?.();
  }, [below, rows.length]);
  return (
    <table
      class={windowed ? 'table windowed' : 'table'}
      role="table"
      aria-label={label}
      aria-rowcount={total ?? rows.length + 1}
    >
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ name, kind }) => (
            <th key={name} role="columnheader" scope="col" class={kind && `col-${kind}`}>
              {kind === 'actions' ? <span class="visually-hidden">{name}</span> : name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" ref={body}>
        <Spacer height={first * height} />
        {shown.map((row, index) => (
          <tr key={keyOf(row)} role="row" data-row aria-rowindex={first + index + 2}>
            {columns.map(({ name, kind, cell }) => (
              <td key={name} role="cell" data-label={name} class={kind && `col-${kind}`}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
        <Spacer height={below * height} />
      </tbody>
    </table>
  );
}

function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row is not focusable
    <tr class="spacer" aria-hidden="true" style={{ height: `${height}px` }}>
      <td style={{ height: `${height}px` }} />
    </tr>
  );
}
