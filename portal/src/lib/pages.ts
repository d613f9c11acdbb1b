/** A list that is read by cursor, page after page, and whose first page is polled. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Problem, problemIn } from '../api/client';
import { usePolling } from './query';

interface Page<T> {
  data: T[];
  nextCursor?: string;
}

export interface Pages<T> {
  rows: T[];
  loading: boolean;
  problem: Problem | undefined;
  /** True while there is another page. */
  more: boolean;
  loadMore: () => Promise<void>;
  refetch: () => Promise<void>;
}

interface State<T> {
  rows: T[];
  cursor: string | undefined;
  loading: boolean;
  problem: Problem | undefined;
}

const EMPTY = { rows: [], cursor: undefined, loading: true, problem: undefined };

/** Puts a fresh first page in front of the rows that are older than it. Newer ones that it lacks are no longer listed. */
function merge<T extends { id: string }>({ data, nextCursor }: Page<T>, rows: T[]): T[] {
  const last = data.at(-1)?.id;
  if (nextCursor === undefined) return data;
  if (last === undefined) return rows;
  const ids = new Set(data.map(({ id }) => id));
  // The ids are UUIDv7: their order is that of time.
  return [...data, ...rows.filter(({ id }) => id < last && !ids.has(id))];
}

/** Reads a list whose filters are in the key. */
export function usePages<T extends { id: string }>(
  key: string,
  load: (cursor?: string) => Promise<Page<T>>,
  poll = 0,
): Pages<T> {
  const [state, setState] = useState<State<T>>(EMPTY);
  const turn = useRef(0);
  const busy = useRef(false);
  const latest = useRef(load);
  latest.current = load;
  const call = useCallback(async (cursor: string | undefined, apply: (before: State<T>, page: Page<T>) => State<T>) => {
    const mine = turn.current;
    try {
      const page = await latest.current(cursor);
      if (mine === turn.current) setState((before) => apply(before, page));
    } catch (thrown) {
      const problem = problemIn(thrown);
      if (mine === turn.current) setState((before) => ({ ...before, loading: false, problem }));
    }
  }, []);
  const refetch = useCallback(
    () =>
      call(undefined, (before, page) => {
        const rows = merge(page, before.rows);
        const cursor = rows.length > page.data.length ? before.cursor : page.nextCursor;
        return { rows, cursor, loading: false, problem: undefined };
      }),
    [call],
  );
  useEffect(() => {
    turn.current += 1;
    setState(EMPTY);
    void refetch();
  }, [key, refetch]);
  usePolling(refetch, poll);
  const loadMore = async () => {
    if (busy.current || !state.cursor) return;
    busy.current = true;
    await call(state.cursor, (before, page) => {
      const seen = new Set(before.rows.map(({ id }) => id));
      const rows = [...before.rows, ...page.data.filter(({ id }) => !seen.has(id))];
      return { rows, cursor: page.nextCursor, loading: false, problem: undefined };
    });
    busy.current = false;
  };
  const { rows, cursor, loading, problem } = state;
  return { rows, loading, problem, more: cursor !== undefined, loadMore, refetch };
}
