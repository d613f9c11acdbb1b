/** Versions of the registry that wait for a verification. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useChange } from '../../lib/query';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/dialog';
import { PageHead, Time } from '../../ui/parts';
import { Empty, ProblemNote } from '../../ui/state';
import type { Column } from '../../ui/table';
import { say } from '../../ui/toast';
import { List, Organisation, useWholeList } from './parts';

type Version = Schemas['RegistryVersion'];
type Verdict = 'approved' | 'rejected';

const texts = strings.operator.registry;

const nameOf = ({ name, version }: Version) => texts.of(name, version);

function review({ id }: Version, verificationStatus: Verdict) {
  const params = { path: { id } };
  return ok(api.PATCH('/v1/operator/registry-versions/{id}', { params, body: { verificationStatus } }));
}

export function RegistryPage() {
  const list = useWholeList<Version>('operator-registry', (cursor) =>
    ok(api.GET('/v1/operator/registry-versions', { params: { query: { cursor } } })),
  );
  const [rejecting, setRejecting] = useState<Version | undefined>();
  const change = useChange(async (version: Version, verdict: Verdict) => {
    await review(version, verdict);
    say(texts[verdict](nameOf(version)));
    setRejecting(undefined);
    list.again();
    // The row goes, and its button with it.
    document.querySelector<HTMLElement>('h1')?.focus();
  });
  const columns: Column<Version>[] = [
    { name: texts.name, cell: (version) => <Integration version={version} /> },
    { name: texts.version, kind: 'narrow', cell: ({ version }) => version },
    { name: strings.operator.organisation, cell: ({ organisation }) => <Organisation of={organisation} /> },
    { name: texts.asked, kind: 'narrow', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      name: strings.common.actions,
      kind: 'actions',
      cell: (version) => (
        <span class="row">
          <Button
            label={`${texts.approve}: ${nameOf(version)}`}
            busy={change.busy}
            onClick={() => void change.run(version, 'approved')}
          >
            {texts.approve}
          </Button>
          <Button look="quiet" label={`${texts.reject}: ${nameOf(version)}`} onClick={() => setRejecting(version)}>
            {texts.reject}
          </Button>
        </span>
      ),
    },
  ];
  return (
    <>
      <PageHead title={strings.operator.pages.registry}>{texts.lead}</PageHead>
      {!rejecting && <ProblemNote problem={change.problem} />}
      <List
        list={list}
        label={strings.operator.pages.registry}
        columns={columns}
        empty={<Empty title={texts.none} />}
      />
      {rejecting && (
        <Confirm
          title={texts.rejectTitle(nameOf(rejecting))}
          confirm={texts.reject}
          danger
          busy={change.busy}
          problem={change.problem}
          onConfirm={() => void change.run(rejecting, 'rejected')}
          onClose={() => setRejecting(undefined)}
        >
          <p>{texts.rejectText}</p>
        </Confirm>
      )}
    </>
  );
}

function Integration({ version: { name, title, description, readmeUrl } }: { version: Version }) {
  return (
    <span>
      {readmeUrl ? (
        <a href={readmeUrl} data-reload>
          {title || name}
        </a>
      ) : (
        title || name
      )}{' '}
      <span class="muted">{title ? name : ''}</span>
      {description && <span class="muted small block">{description}</span>}
    </span>
  );
}
