/** Connections: the buttons that begin one, and the card of one. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useMembers } from '../../lib/data';
import { useChange } from '../../lib/query';
import { useMay, useSession } from '../../lib/session';
import { strings } from '../../strings';
import { Button, CopyButton } from '../../ui/button';
import { Confirm } from '../../ui/dialog';
import { Github, Slack } from '../../ui/icon';
import { Card, Facts, Time } from '../../ui/parts';
import { ConnectionBadge, Note, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

type Provider = Schemas['ConnectionProvider'];
type Connection = Schemas['Connection'];

const PROVIDERS: Provider[] = ['slack', 'github'];

function useConnect() {
  return useChange(async (provider: Provider) => {
    const returnUrl = `${window.location.origin}/portal/?connected=${provider}`;
    const { authorizationUrl } = await ok(api.POST('/v1/connections', { body: { provider, returnUrl } }));
    if (/^https?:/.test(authorizationUrl)) window.location.assign(authorizationUrl);
  });
}

export function ProviderIcon({ provider }: { provider: Provider }) {
  return provider === 'slack' ? <Slack /> : <Github />;
}

/** A button for each provider that the member may connect: those that are missing, or all. */
export function ConnectButtons({ connections }: { connections: Connection[] }) {
  const may = useMay();
  const connect = useConnect();
  const missing = PROVIDERS.filter((provider) => !connections.some((one) => one.provider === provider));
  const offered = missing.filter((provider) => may(`${provider}:manage`));
  return (
    <>
      <div class="actions">
        {offered.map((provider) => (
          <Button key={provider} busy={connect.busy} onClick={() => void connect.run(provider)}>
            <ProviderIcon provider={provider} />
            {strings.home.connect(strings.home.providers[provider])}
          </Button>
        ))}
      </div>
      <ProblemNote problem={connect.problem} />
    </>
  );
}

interface CardProps {
  connection: Connection;
  refetch: () => void;
}

export function ConnectionCard({ connection, refetch }: CardProps) {
  const { organisation } = useSession();
  const members = useMembers(organisation.id);
  const { provider, state, name, reason, cure } = connection;
  const by = members.data?.find(({ userId }) => userId === connection.connectedBy)?.username;
  const title = (
    <>
      <ProviderIcon provider={provider} />
      {strings.home.providers[provider]}: {name}
    </>
  );
  return (
    <Card
      title={title}
      level={3}
      item
      tone={state === 'needs_attention' ? 'bad' : undefined}
      aside={<ConnectionBadge state={state} />}
    >
      {reason && (
        <Note tone="bad">
          <p>{reason}</p>
          {cure && <p class="strong">{cure}</p>}
        </Note>
      )}
      {state === 'paused' && <p class="muted">{strings.home.pausedText}</p>}
      <Facts
        facts={[
          [strings.home.since, <Time key="since" at={connection.createdAt} />],
          [strings.home.by, by],
        ]}
      />
      <ConnectionActions connection={connection} refetch={refetch} />
    </Card>
  );
}

function ConnectionActions({ connection, refetch }: CardProps) {
  const may = useMay();
  const { id, name, provider, state } = connection;
  const params = { path: { id } };
  const [leaving, setLeaving] = useState(false);
  const connect = useConnect();
  const test = useChange(async () => {
    const { ok: works, detail } = await ok(api.POST('/v1/connections/{id}/test', { params }));
    if (works) say(strings.home.tested(name));
    else say(strings.home.testFailed(detail ?? ''), { bad: true });
    refetch();
  });
  const pause = useChange(async (paused: boolean) => {
    await ok(api.PATCH('/v1/connections/{id}', { params, body: { paused } }));
    say(paused ? strings.home.pausedNow(name) : strings.home.resumedNow(name));
    refetch();
  });
  if (!may(`${provider}:manage`)) return null;
  return (
    <>
      <ProblemNote problem={test.problem ?? pause.problem ?? connect.problem} />
      <div class="actions card-foot">
        {state === 'needs_attention' && (
          <Button look="primary" busy={connect.busy} onClick={() => void connect.run(provider)}>
            {strings.home.reconnect}
          </Button>
        )}
        <Button busy={test.busy} onClick={() => void test.run()}>
          {strings.home.test}
        </Button>
        {provider === 'slack' && state !== 'needs_attention' && (
          <Button busy={pause.busy} onClick={() => void pause.run(state !== 'paused')}>
            {state === 'paused' ? strings.home.resume : strings.home.pause}
          </Button>
        )}
        <Button look="quiet danger" onClick={() => setLeaving(true)}>
          {strings.home.disconnect}
        </Button>
        <CopyButton text={id} small />
      </div>
      {leaving && <Disconnect connection={connection} refetch={refetch} onClose={() => setLeaving(false)} />}
    </>
  );
}

function Disconnect({ connection, refetch, onClose }: CardProps & { onClose: () => void }) {
  const change = useChange(async () => {
    await ok(api.DELETE('/v1/connections/{id}', { params: { path: { id: connection.id } } }));
    onClose();
    refetch();
  });
  return (
    <Confirm
      title={strings.home.disconnectTitle(connection.name)}
      confirm={strings.home.disconnect}
      danger
      busy={change.busy}
      problem={change.problem}
      onConfirm={() => void change.run()}
      onClose={onClose}
    >
      <p>{strings.home.disconnectText}</p>
    </Confirm>
  );
}
