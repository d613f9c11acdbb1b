/** The organisation: its name and schedule, members, tokens, audit log. */
import { useState } from 'preact/hooks';
import { api, ok } from '../api/client';
import { pausesOf, pausesText } from '../lib/format';
import { useChange, useQuery } from '../lib/query';
import { useMay, useSession } from '../lib/session';
import { strings } from '../strings';
import { Button, CopyButton } from '../ui/button';
import { TextField } from '../ui/field';
import { Card, Facts, PageHead, Tabs, Time } from '../ui/parts';
import { Loading, ProblemNote } from '../ui/state';
import { say } from '../ui/toast';
import { AuditLog } from './organisation/audit';
import { Embedding } from './organisation/embedding';
import { Members } from './organisation/members';
import { Tokens } from './organisation/tokens';

const texts = strings.organisation;

export function OrganisationPage({ part }: { part: string }) {
  const may = useMay();
  const tabs: [string, string][] = [['/organisation', texts.general]];
  if (may('members:read')) tabs.push(['/organisation/members', texts.members]);
  if (may('tokens:manage')) tabs.push(['/organisation/tokens', texts.tokens]);
  if (may('audit:read')) tabs.push(['/organisation/audit', texts.audit]);
  const current = part ? `/organisation/${part}` : '/organisation';
  return (
    <>
      <PageHead title={tabs.find(([path]) => path === current)?.[1] ?? texts.title} />
      <Tabs label={texts.parts} tabs={tabs} current={current} />
      {part === '' && <General />}
      {part === 'members' && <Members />}
      {part === 'tokens' && <Tokens />}
      {part === 'audit' && <AuditLog />}
    </>
  );
}

function General() {
  const { organisation } = useSession();
  const params = { path: { id: organisation.id } };
  const shown = useQuery('organisation', () => ok(api.GET('/v1/organisations/{id}', { params })));
  const retention = useQuery('retention', () => ok(api.GET('/v1/retention')));
  return (
    <div class="stack">
      <ProblemNote problem={shown.problem} retry={() => void shown.refetch()} />
      {shown.loading && <Loading lines={2} />}
      {shown.data && (
        <Card title={shown.data.name} aside={<CopyButton text={organisation.id} />}>
          <Facts
            facts={[
              [texts.slug, shown.data.slug],
              [texts.since, <Time key="since" at={shown.data.createdAt} exact />],
              [texts.retention, retention.data && texts.days(retention.data.deliveryDays)],
            ]}
          />
          <Rename name={shown.data.name} onSaved={() => void shown.refetch()} />
        </Card>
      )}
      <RetrySchedule />
      <Embedding />
    </div>
  );
}

function Rename({ name, onSaved }: { name: string; onSaved: () => void }) {
  const may = useMay();
  const { organisation } = useSession();
  const [text, setText] = useState(name);
  const save = useChange(async () => {
    const params = { path: { id: organisation.id } };
    await ok(api.PATCH('/v1/organisations/{id}', { params, body: { name: text.trim() } }));
    say(strings.common.saved);
    onSaved();
  });
  if (!may('organisation:manage')) return null;
  return (
    <form
      class="stack tight small-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      <TextField label={texts.name} value={text} onInput={setText} required />
      <ProblemNote problem={save.problem} />
      <div class="actions">
        <Button submit busy={save.busy} disabled={text.trim() === '' || text.trim() === name}>
          {strings.common.save}
        </Button>
      </div>
    </form>
  );
}

function RetrySchedule() {
  const { organisation } = useSession();
  const params = { path: { id: organisation.id } };
  const schedule = useQuery('retry-schedule', () => ok(api.GET('/v1/organisations/{id}/retry-schedule', { params })));
  return (
    <Card title={texts.retry}>
      <p class="muted">{texts.retryText}</p>
      <ProblemNote problem={schedule.problem} />
      {schedule.loading && <Loading lines={1} />}
      {schedule.data && (
        <ScheduleForm pauses={schedule.data.retrySchedule ?? undefined} onSaved={() => void schedule.refetch()} />
      )}
    </Card>
  );
}

function ScheduleForm({ pauses, onSaved }: { pauses: number[] | undefined; onSaved: () => void }) {
  const may = useMay();
  const { organisation } = useSession();
  const [text, setText] = useState(pausesText(pauses));
  const read = pausesOf(text);
  const faulty = read === undefined;
  const save = useChange(async () => {
    const params = { path: { id: organisation.id } };
    const body = { retrySchedule: read?.length ? read : null };
    await ok(api.PUT('/v1/organisations/{id}/retry-schedule', { params, body }));
    say(strings.common.saved);
    onSaved();
  });
  const locked = !may('routes:manage');
  return (
    <form
      class="stack tight small-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      {!pauses && <p>{texts.retryDefault}</p>}
      <TextField
        label={texts.pauses}
        value={text}
        onInput={setText}
        hint={texts.pausesHint}
        fault={faulty ? texts.pausesFault : undefined}
        placeholder="5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h"
        disabled={locked}
      />
      <ProblemNote problem={save.problem} />
      {!locked && (
        <div class="actions">
          <Button submit busy={save.busy} disabled={faulty}>
            {strings.common.save}
          </Button>
        </div>
      )}
    </form>
  );
}
