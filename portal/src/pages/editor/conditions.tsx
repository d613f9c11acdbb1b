/** The part of the editor that says which events: types, sources, conditions, GitHub's rule. */

import { api, ok, type Schemas } from '../../api/client';
import { useConnections } from '../../lib/data';
import { useQuery } from '../../lib/query';
import { useMay } from '../../lib/session';
import { strings } from '../../strings';
import { Button, IconButton } from '../../ui/button';
import { AreaField, CheckField, SelectField, TextField } from '../../ui/field';
import { Card } from '../../ui/parts';
import { type Option, Picker } from '../../ui/picker';
import { type Condition, expressionOf, isField, OPERATORS, type Operator } from './condition';
import { type Draft, words } from './draft';

export interface PartProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
}

const SOURCES = ['api', 'slack', 'github', 'channel', 'tieline'];
const texts = strings.editor;

/** Types and fields of the last events, which the editor suggests. */
export function useLastEvents() {
  const may = useMay();
  return useQuery('last-events', () => ok(api.GET('/v1/events', { params: { query: { limit: 50 } } })), {
    enabled: may('events:read') && may('channels:manage'),
  });
}

function pathsOf(event: Schemas['Event']): string[] {
  const data =
    event.data && typeof event.data === 'object' && !Array.isArray(event.data) ? Object.entries(event.data) : [];
  const nested = data.flatMap(([name, value]) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.keys(value).map((inner) => `data.${name}.${inner}`)
      : [`data.${name}`],
  );
  return [...Object.keys(event.attributes ?? {}).map((name) => `attributes.${name}`), ...nested].filter(isField);
}

export function WhatPart({ draft, change }: PartProps) {
  const events = useLastEvents().data?.data ?? [];
  const types = [...new Set(events.map(({ type }) => type))].sort();
  const toggle = (source: string, on: boolean) =>
    change({ sources: on ? [...draft.sources, source] : draft.sources.filter((one) => one !== source) });
  return (
    <Card title={texts.what}>
      <TextField
        label={texts.types}
        value={draft.types}
        onInput={(text) => change({ types: text })}
        hint={texts.typesHint}
        list={types}
        placeholder="order.*"
        required
        mono
      />
      <fieldset>
        <legend>{texts.sources}</legend>
        <div class="checks">
          {SOURCES.map((source) => (
            <CheckField
              key={source}
              label={strings.sources[source] ?? source}
              checked={draft.sources.includes(source)}
              onChange={(on) => toggle(source, on)}
            />
          ))}
        </div>
        <p class="hint">{texts.sourcesHint}</p>
      </fieldset>
      <Conditions draft={draft} change={change} fields={[...new Set(events.flatMap(pathsOf))].sort()} />
      {(draft.github || draft.sources.includes('github')) && <GithubPart draft={draft} change={change} />}
    </Card>
  );
}

function Conditions({ draft, change, fields }: PartProps & { fields: string[] }) {
  const { conditions, expression } = draft;
  const set = (index: number, part: Partial<Condition>) =>
    change({ conditions: conditions.map((one, at) => (at === index ? { ...one, ...part } : one)) });
  if (expression !== undefined) {
    return (
      <>
        <AreaField
          label={texts.expression}
          hint={texts.expressionHint}
          value={expression}
          rows={3}
          onInput={(text) => change({ expression: text })}
        />
        <div class="actions">
          <Button look="quiet" onClick={() => change({ expression: undefined })}>
            {texts.asFields}
          </Button>
        </div>
      </>
    );
  }
  return (
    <fieldset class="stack tight">
      <legend>{texts.conditions}</legend>
      {conditions.map((condition, index) => (
        <ConditionRow
          key={index}
          number={index + 1}
          condition={condition}
          fields={fields}
          set={(part) => set(index, part)}
          remove={() => change({ conditions: conditions.filter((_, at) => at !== index) })}
        />
      ))}
      {conditions.length > 1 && <p class="hint">{texts.conditionHint}</p>}
      <div class="actions">
        <Button
          icon="plus"
          onClick={() => change({ conditions: [...conditions, { field: '', operator: '==', value: '' }] })}
        >
          {texts.addCondition}
        </Button>
        <Button look="quiet" onClick={() => change({ expression: expressionOf(conditions) })}>
          {texts.asExpression}
        </Button>
      </div>
    </fieldset>
  );
}

interface RowProps {
  number: number;
  condition: Condition;
  fields: string[];
  set: (part: Partial<Condition>) => void;
  remove: () => void;
}

function ConditionRow({ number, condition, fields, set, remove }: RowProps) {
  const wrong = condition.field !== '' && !isField(condition.field);
  return (
    <div class="condition">
      <TextField
        label={texts.field}
        value={condition.field}
        onInput={(field) => set({ field })}
        list={fields}
        placeholder={texts.fieldPlaceholder}
        fault={wrong ? texts.fieldFault : undefined}
        mono
      />
      <SelectField
        label={texts.operator}
        value={condition.operator}
        options={OPERATORS.map((operator) => [operator, texts.operators[operator]])}
        onChange={(operator) => set({ operator: operator as Operator })}
      />
      <TextField label={texts.value} value={condition.value} onInput={(value) => set({ value })} />
      <IconButton icon="close" label={texts.removeCondition(number)} onClick={remove} />
    </div>
  );
}

const GITHUB_KINDS: Schemas['GithubEventKind'][] = [
  'issues',
  'pulls',
  'commits',
  'releases',
  'deployments',
  'reviews',
  'comments',
  'branches',
  'workflows',
  'discussions',
  'checks',
  'security',
];

function GithubPart({ draft, change }: PartProps) {
  const rule = draft.github ?? {};
  const set = (part: Schemas['GithubRule']) => {
    const next = { ...rule, ...part };
    change({ github: next.repositories?.length ? next : draft.github ? next : undefined });
  };
  const kinds = rule.events ?? [];
  return (
    <fieldset class="stack tight">
      <legend>{texts.github}</legend>
      <TextField
        label={texts.repositories}
        value={rule.repositories?.join(', ') ?? ''}
        hint={texts.repositoriesHint}
        placeholder="acme/*"
        onInput={(text) => set({ repositories: words(text) })}
        optional
        mono
      />
      <AddRepository onAdd={(name) => set({ repositories: [...new Set([...(rule.repositories ?? []), name])] })} />
      {draft.github && (
        <>
          <TextField
            label={texts.branches}
            value={rule.branches?.include?.join(', ') ?? ''}
            hint={texts.branchesHint}
            placeholder="main, release/*"
            onInput={(text) => set({ branches: { ...rule.branches, include: words(text) } })}
            optional
            mono
          />
          <fieldset>
            <legend>{texts.githubKinds}</legend>
            <div class="checks">
              {GITHUB_KINDS.map((kind) => (
                <CheckField
                  key={kind}
                  label={kind}
                  checked={kinds.includes(kind)}
                  onChange={(on) => set({ events: on ? [...kinds, kind] : kinds.filter((one) => one !== kind) })}
                />
              ))}
            </div>
          </fieldset>
        </>
      )}
    </fieldset>
  );
}

/** Chooses one of the repositories that the connected accounts have opened to the app. */
function AddRepository({ onAdd }: { onAdd: (name: string) => void }) {
  const connections = useConnections();
  const ids = (connections.data ?? []).filter(({ provider }) => provider === 'github').map(({ id }) => id);
  const repositories = useQuery(
    `repositories ${ids.join(' ')}`,
    async () => {
      const path = '/v1/connections/{id}/repositories';
      const lists = await Promise.all(ids.map((id) => ok(api.GET(path, { params: { path: { id } } }))));
      return lists.flatMap(({ data }) => data);
    },
    { enabled: ids.length > 0 },
  );
  if (ids.length === 0) return null;
  const options = (repositories.data ?? []).map(
    ({ fullName, isPrivate }): Option => ({ value: fullName, label: fullName, icon: isPrivate ? 'lock' : 'routes' }),
  );
  return (
    <Picker label={texts.addRepository} options={options} value="" onChange={onAdd} loading={repositories.loading} />
  );
}
