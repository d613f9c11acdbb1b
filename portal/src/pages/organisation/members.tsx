/** Members, their roles, and the form that adds one. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useMembers } from '../../lib/data';
import { useChange } from '../../lib/query';
import { useMay, useSession } from '../../lib/session';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';
import { Time } from '../../ui/parts';
import { Removal } from '../../ui/removal';
import { Badge, Loading, ProblemNote } from '../../ui/state';
import { type Column, Table } from '../../ui/table';
import { say } from '../../ui/toast';

type Member = Schemas['Member'];
type Role = Schemas['Role'];

const texts = strings.organisation;
const ROLES: Role[] = ['member', 'admin', 'owner'];

export function Members() {
  const may = useMay();
  const { organisation, member: own } = useSession();
  const members = useMembers(organisation.id);
  const [adding, setAdding] = useState(false);
  const refetch = () => void members.refetch();
  const manages = may('members:manage');
  const columns = columnsOf(own.userId, organisation.id, manages, refetch);
  return (
    <div class="stack">
      {manages && (
        <div class="actions">
          <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
            {texts.add}
          </Button>
        </div>
      )}
      <ProblemNote problem={members.problem} retry={refetch} />
      {members.loading && <Loading />}
      {members.data && (
        <Table label={texts.members} columns={columns} rows={members.data} keyOf={({ userId }) => userId} />
      )}
      {adding && <AddMember onClose={() => setAdding(false)} onAdded={refetch} />}
    </div>
  );
}

function columnsOf(own: string, organisation: string, manages: boolean, refetch: () => void): Column<Member>[] {
  const columns: Column<Member>[] = [
    {
      name: texts.member,
      cell: ({ userId, username, email, invited }) => (
        <span class="flow">
          <span class="strong">{username}</span>
          {userId === own && <span class="muted">({texts.you})</span>}
          {email && <span class="muted">{email}</span>}
          {invited && (
            <Badge tone="warn" icon="clock">
              {texts.invited}
            </Badge>
          )}
        </span>
      ),
    },
    {
      name: texts.role,
      cell: (member) =>
        manages && member.userId !== own ? (
          <RoleChoice member={member} organisation={organisation} onChanged={refetch} />
        ) : (
          texts.roles[member.role]
        ),
    },
    { name: texts.since, cell: ({ createdAt }) => <Time at={createdAt} /> },
  ];
  if (!manages) return columns;
  const actions: Column<Member> = {
    name: strings.common.actions,
    kind: 'actions',
    cell: ({ userId, username }) =>
      userId === own ? null : (
        <Removal
          quiet
          label={texts.removeMember}
          title={texts.removeTitle(username)}
          text={texts.removeText}
          remove={async () => {
            await ok(
              api.DELETE('/v1/organisations/{id}/members/{user_id}', {
                params: { path: { id: organisation, user_id: userId } },
              }),
            );
            say(texts.removed(username));
            refetch();
          }}
        />
      ),
  };
  return [...columns, actions];
}

interface RoleProps {
  member: Member;
  organisation: string;
  onChanged: () => void;
}

function RoleChoice({ member: { userId, username, role }, organisation, onChanged }: RoleProps) {
  const change = useChange(async (next: Role) => {
    const params = { path: { id: organisation, user_id: userId } };
    await ok(api.PATCH('/v1/organisations/{id}/members/{user_id}', { params, body: { role: next } }));
    say(texts.roleChanged(username, texts.roles[next]));
    onChanged();
  });
  return (
    <>
      <select
        aria-label={texts.roleOf(username)}
        value={role}
        onChange={(event) => void change.run(event.currentTarget.value as Role)}
      >
        {ROLES.map((one) => (
          <option key={one} value={one} selected={one === role}>
            {texts.roles[one]}
          </option>
        ))}
      </select>
      <ProblemNote problem={change.problem} />
    </>
  );
}

function AddMember({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const { organisation } = useSession();
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('member');
  const add = useChange(async () => {
    const params = { path: { id: organisation.id } };
    const body = { username: username.trim(), email: email.trim() || undefined, role };
    await ok(api.POST('/v1/organisations/{id}/members', { params, body }));
    say(texts.added(username));
    onAdded();
    onClose();
  });
  const actions = (
    <>
      <Button onClick={onClose}>{strings.common.cancel}</Button>
      <Button look="primary" busy={add.busy} disabled={!username.trim()} onClick={() => void add.run()}>
        {strings.common.add}
      </Button>
    </>
  );
  return (
    <Dialog title={texts.add} onClose={onClose} actions={actions}>
      <TextField label={texts.username} value={username} onInput={setUsername} required />
      <TextField type="email" label={texts.email} value={email} onInput={setEmail} optional />
      <SelectField
        label={texts.role}
        value={role}
        options={ROLES.map((one) => [one, texts.roles[one]])}
        hint={texts.roleText[role]}
        onChange={(next) => setRole(next as Role)}
      />
      <ProblemNote problem={add.problem} />
    </Dialog>
  );
}
