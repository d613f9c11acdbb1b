/** The member's own tokens, and the form that makes one. */
import { useState } from 'preact/hooks';
import { all, api, ok, type Schemas } from '../../api/client';
import { useChange, useQuery } from '../../lib/query';
import { type Permission, useSession } from '../../lib/session';
import { strings } from '../../strings';
import { Button, CopyButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { CheckField, SelectField, TextField } from '../../ui/field';
import { Time } from '../../ui/parts';
import { Removal } from '../../ui/removal';
import { Badge, Empty, Loading, Note, ProblemNote } from '../../ui/state';
import { type Column, Table } from '../../ui/table';

type Token = Schemas['Token'];

const texts = strings.organisation;
const DAY = 86_400_000;

export function Tokens() {
  const [making, setMaking] = useState(false);
  const tokens = useQuery('tokens', () =>
    all((cursor) => ok(api.GET('/v1/tokens', { params: { query: { limit: 250, cursor } } }))),
  );
  const refetch = () => void tokens.refetch();
  return (
    <div class="stack">
      <div class="spread">
        <p class="muted">{texts.tokensText}</p>
        <Button look="primary" icon="plus" onClick={() => setMaking(true)}>
          {texts.newToken}
        </Button>
      </div>
      <ProblemNote problem={tokens.problem} retry={refetch} />
      {tokens.loading && <Loading />}
      {tokens.data?.length === 0 && <Empty title={texts.noTokens} />}
      {tokens.data && tokens.data.length > 0 && (
        <Table label={texts.tokens} columns={columnsOf(refetch)} rows={tokens.data} keyOf={({ id }) => id} />
      )}
      {making && <NewToken onClose={() => setMaking(false)} onMade={refetch} />}
    </div>
  );
}

function TokenState({ token: { revokedAt, expiresAt } }: { token: Token }) {
  if (revokedAt) {
    return (
      <Badge tone="idle" icon="off">
        {texts.revoked}
      </Badge>
    );
  }
  const expired = expiresAt !== undefined && new Date(expiresAt).getTime() < Date.now();
  return (
    <Badge tone={expired ? 'warn' : 'good'} icon={expired ? 'clock' : 'check'}>
      {expired ? texts.expired : texts.valid}
    </Badge>
  );
}

function columnsOf(refetch: () => void): Column<Token>[] {
  return [
    { name: texts.name, cell: ({ name }) => <span class="strong">{name}</span> },
    { name: strings.routes.state, cell: (token) => <TokenState token={token} /> },
    {
      name: texts.scopes,
      cell: ({ scopes }) => (
        <span title={scopes.join(', ')}>{scopes.length === 0 ? texts.allScopes : texts.scopesN(scopes.length)}</span>
      ),
    },
    { name: texts.expires, cell: ({ expiresAt }) => (expiresAt ? <Time at={expiresAt} /> : strings.common.never) },
    { name: texts.lastUsed, cell: ({ lastUsedAt }) => (lastUsedAt ? <Time at={lastUsedAt} /> : strings.common.never) },
    {
      name: strings.common.actions,
      kind: 'actions',
      cell: ({ id, name, revokedAt }) =>
        revokedAt ? null : (
          <Removal
            quiet
            label={texts.revoke}
            title={texts.revokeTitle(name)}
            text={texts.revokeText}
            remove={async () => {
              await ok(api.DELETE('/v1/tokens/{id}', { params: { path: { id } } }));
              refetch();
            }}
          />
        ),
    },
  ];
}

interface NewProps {
  onClose: () => void;
  onMade: () => void;
}

function NewToken({ onClose, onMade }: NewProps) {
  const { permissions } = useSession();
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [scopes, setScopes] = useState<Permission[] | undefined>();
  const [secret, setSecret] = useState<string | undefined>();
  const make = useChange(async () => {
    const expiresAt = days ? new Date(Date.now() + Number(days) * DAY).toISOString() : undefined;
    const made = await ok(api.POST('/v1/tokens', { body: { name: name.trim(), scopes, expiresAt } }));
    setSecret(made.secret);
    onMade();
  });
  if (secret !== undefined) return <Made secret={secret} onClose={onClose} />;
  const actions = (
    <>
      <Button onClick={onClose}>{strings.common.cancel}</Button>
      <Button
        look="primary"
        busy={make.busy}
        disabled={!name.trim() || scopes?.length === 0}
        onClick={() => void make.run()}
      >
        {texts.create}
      </Button>
    </>
  );
  const toggle = (scope: Permission, on: boolean) =>
    setScopes(on ? [...(scopes ?? []), scope] : (scopes ?? []).filter((one) => one !== scope));
  return (
    <Dialog title={texts.newToken} onClose={onClose} actions={actions} wide>
      <TextField label={texts.name} value={name} onInput={setName} required />
      <SelectField
        label={texts.expires}
        value={days}
        options={['7', '30', '90', '365', ''].map((one) => [one, texts.expiry[one] ?? one])}
        onChange={setDays}
      />
      <SelectField
        label={texts.scopes}
        value={scopes ? 'some' : 'all'}
        options={[
          ['all', texts.allScopes],
          ['some', texts.someScopes],
        ]}
        onChange={(choice) => setScopes(choice === 'some' ? [] : undefined)}
      />
      {scopes && (
        <fieldset>
          <legend class="visually-hidden">{texts.scopes}</legend>
          <div class="checks">
            {permissions.map((scope) => (
              <CheckField
                key={scope}
                label={<code>{scope}</code>}
                checked={scopes.includes(scope)}
                onChange={(on) => toggle(scope, on)}
              />
            ))}
          </div>
        </fieldset>
      )}
      <ProblemNote problem={make.problem} />
    </Dialog>
  );
}

function Made({ secret, onClose }: { secret: string; onClose: () => void }) {
  const actions = (
    <Button look="primary" onClick={onClose}>
      {texts.done}
    </Button>
  );
  return (
    <Dialog title={texts.tokenCreated} onClose={onClose} actions={actions}>
      <Note tone="warn">{texts.tokenOnce}</Note>
      <div class="row">
        <code class="chip">{secret}</code>
        <CopyButton text={secret} label={strings.common.copy} name={strings.common.copyOf(texts.newToken)} />
      </div>
    </Dialog>
  );
}
