/** Queries and changes of the API as hooks: loading, problem, data, polling. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Problem, problemIn } from '../api/client';

export interface Query<T> {
  data: T | undefined;
  problem: Problem | undefined;
  loading: boolean;
  refetch: () => Promise<void>;
  /** Replaces the data until the next answer. */
  replace: (data: T) => void;
}

// The last answer of each key, shown while the next one is on its way. It belongs to one session.
const answers = new Map<string, unknown>();

/** Drops every kept answer: the next session may be another organisation's. */
export function forgetAnswers(): void {
  answers.clear();
}

interface Options {
  /** Milliseconds between two calls, while the page is visible. */
  poll?: number;
  enabled?: boolean;
  /** True to show the answer of the former key until the next one arrives. */
  keep?: boolean;
  /** True to show no former answer: what is edited has to be what is stored. */
  fresh?: boolean;
}

interface State<T> {
  key: string;
  data: T | undefined;
  problem: Problem | undefined;
  loading: boolean;
}

function initial<T>(key: string, enabled: boolean, fresh: boolean): State<T> {
  const data = fresh ? undefined : (answers.get(key) as T | undefined);
  return { key, data, problem: undefined, loading: enabled && data === undefined };
}

/** Loads what a key stands for, again when the key changes. */
export function useQuery<T>(
  key: string,
  load: () => Promise<T>,
  { poll = 0, enabled = true, keep = false, fresh = false }: Options = {},
): Query<T> {
  const [kept, setState] = useState<State<T>>(() => initial<T>(key, enabled, fresh));
  const current = useRef(0);
  const latest = useRef(load);
  latest.current = load;
  const next = ({ data }: State<T>): State<T> => {
    const begun = initial<T>(key, enabled, fresh);
    return keep && begun.data === undefined ? { ...begun, data } : begun;
  };
  const refetch = useCallback(async () => {
    current.current += 1;
    const turn = current.current;
    try {
      const data = await latest.current();
      if (turn !== current.current) return;
      answers.set(key, data);
      setState({ key, data, problem: undefined, loading: false });
    } catch (thrown) {
      if (turn !== current.current) return;
      const problem = problemIn(thrown);
      setState((before) => ({ key, data: before.key === key ? before.data : undefined, problem, loading: false }));
    }
  }, [key]);
  useEffect(() => {
    if (!enabled) return;
    setState((before) => (before.key === key ? before : next(before)));
    void refetch();
    return () => {
      current.current += 1;
    };
  }, [key, enabled, refetch]);
  usePolling(refetch, enabled ? poll : 0);
  const state = kept.key === key ? kept : next(kept);
  const replace = (data: T) => {
    answers.set(key, data);
    setState({ key, data, problem: undefined, loading: false });
  };
  return { data: state.data, problem: state.problem, loading: state.loading, refetch, replace };
}

/** Calls again and again while the page is visible, and at once when it becomes visible. */
export function usePolling(call: () => Promise<unknown>, every: number): void {
  const latest = useRef(call);
  latest.current = call;
  useEffect(() => {
    if (every <= 0) return;
    let timer = 0;
    let live = true;
    const next = () => {
      window.clearTimeout(timer);
      if (live && !document.hidden) timer = window.setTimeout(tick, every);
    };
    const tick = () => void latest.current().finally(next);
    const seen = () => (document.hidden ? window.clearTimeout(timer) : tick());
    document.addEventListener('visibilitychange', seen);
    next();
    return () => {
      live = false;
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [every]);
}

export interface Change<A extends unknown[], T> {
  run: (...args: A) => Promise<T | undefined>;
  busy: boolean;
  problem: Problem | undefined;
  clear: () => void;
}

/** A change: one call at a time, and the problem of the last one. */
export function useChange<A extends unknown[], T>(call: (...args: A) => Promise<T>): Change<A, T> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const running = useRef(false);
  const run = async (...args: A): Promise<T | undefined> => {
    if (running.current) return undefined;
    running.current = true;
    setBusy(true);
    setProblem(undefined);
    try {
      return await call(...args);
    } catch (thrown) {
      setProblem(problemIn(thrown));
      return undefined;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { run, busy, problem, clear: () => setProblem(undefined) };
}

/** Returns a value once it has not changed for a while. */
export function useDebounced<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  const text = JSON.stringify(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), milliseconds);
    return () => window.clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}
