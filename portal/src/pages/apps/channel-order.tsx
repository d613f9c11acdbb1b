/** The apps of a channel in the order in which they process its messages; moved by drag or by keyboard. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useChannels } from '../../lib/data';
import { useChange, useQuery } from '../../lib/query';
import { useMay } from '../../lib/session';
import { strings } from '../../strings';
import { IconButton } from '../../ui/button';
import { CheckField, SelectField } from '../../ui/field';
import { Icon } from '../../ui/icon';
import { Card } from '../../ui/parts';
import { Loading, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

type ChannelApp = Schemas['ChannelApp'];

const texts = strings.apps;

function moved<T>(items: T[], from: number, to: number): T[] {
  const rest = items.filter((_, index) => index !== from);
  const item = items[from];
  return item === undefined ? items : [...rest.slice(0, to), item, ...rest.slice(to)];
}

function useChannelApps(channel: string) {
  const params = { path: { id: channel } };
  const list = useQuery(
    `channel-apps ${channel}`,
    async () => (await ok(api.GET('/v1/channels/{id}/apps', { params }))).data,
    {
      enabled: channel !== '',
    },
  );
  const put = (appId: string, body: Schemas['UpdateChannelApp']) =>
    ok(api.PUT('/v1/channels/{id}/apps/{appId}', { params: { path: { id: channel, appId } }, body }));
  const order = useChange(async (items: ChannelApp[], name: string, place: number) => {
    list.replace(items.map((item, position) => ({ ...item, position })));
    for (const [position, item] of items.entries()) {
      if (item.position !== position) await put(item.appId, { position });
    }
    say(texts.movedTo(name, place + 1, items.length));
    await list.refetch();
  });
  const change = useChange(async (appId: string, body: Schemas['UpdateChannelApp']) => {
    await put(appId, body);
    await list.refetch();
  });
  const remove = useChange(async (appId: string) => {
    await ok(api.DELETE('/v1/channels/{id}/apps/{appId}', { params: { path: { id: channel, appId } } }));
    await list.refetch();
  });
  return { list, order, change, remove };
}

export function ChannelOrder({ apps }: { apps: Schemas['App'][] }) {
  const may = useMay();
  const channels = useChannels();
  const [chosen, setChosen] = useState('');
  const open = (channels.data ?? []).filter(({ archivedAt }) => !archivedAt);
  const usual = open.find(({ name }) => name === 'general') ?? open[0];
  const channel = chosen || (usual?.id ?? '');
  const { list, order, change, remove } = useChannelApps(channel);
  if (open.length === 0) return null;
  const items = list.data ?? [];
  const addable = apps.filter(({ id }) => !items.some(({ appId }) => appId === id));
  return (
    <Card title={texts.inChannel}>
      <p class="muted">{texts.inChannelText}</p>
      <div class="filters">
        <SelectField
          label={texts.channel}
          value={channel}
          options={open.map(({ id, name }) => [id, name])}
          onChange={setChosen}
        />
        {may('integrations:manage') && addable.length > 0 && (
          <SelectField
            label={texts.addToChannel}
            value=""
            options={[['', texts.chooseApp], ...addable.map(({ id, name }): [string, string] => [id, name])]}
            onChange={(id) => id && void change.run(id, { active: true })}
          />
        )}
      </div>
      <ProblemNote problem={list.problem ?? order.problem ?? change.problem ?? remove.problem} />
      {list.loading && <Loading lines={2} />}
      {list.data && items.length === 0 && <p class="muted">{texts.noneInChannel}</p>}
      <Order
        items={items}
        order={order.run}
        change={change.run}
        remove={remove.run}
        locked={!may('integrations:manage')}
      />
    </Card>
  );
}

interface OrderProps {
  items: ChannelApp[];
  order: (items: ChannelApp[], name: string, place: number) => unknown;
  change: (appId: string, body: Schemas['UpdateChannelApp']) => unknown;
  remove: (appId: string) => unknown;
  locked: boolean;
}

function Order({ items, order, change, remove, locked }: OrderProps) {
  const [dragged, setDragged] = useState<number | undefined>();
  const [over, setOver] = useState<number | undefined>();
  const move = (from: number, to: number) => {
    const name = items[from]?.name ?? '';
    if (from !== to && to >= 0 && to < items.length) order(moved(items, from, to), name, to);
  };
  const drop = (to: number) => {
    if (dragged !== undefined) move(dragged, to);
    setDragged(undefined);
    setOver(undefined);
  };
  return (
    <ol class="list">
      {items.map((item, index) => (
        <li
          key={item.appId}
          class={over === index ? 'over' : undefined}
          draggable={!locked}
          onDragStart={() => setDragged(index)}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(index);
          }}
          onDragEnd={() => setOver(undefined)}
          onDrop={(event) => {
            event.preventDefault();
            drop(index);
          }}
        >
          {!locked && <Icon name="grip" />}
          <span class="grow">
            <strong>{item.name}</strong> <span class="muted">{texts.kinds[item.kind] ?? item.kind}</span>
          </span>
          <CheckField
            kind="switch"
            label={<span class="visually-hidden">{texts.activeIn(item.name)}</span>}
            checked={item.active}
            disabled={locked}
            onChange={(active) => change(item.appId, { active })}
          />
          {!locked && (
            <span class="row">
              <IconButton
                icon="up"
                label={texts.moveUp(item.name)}
                disabled={index === 0}
                onClick={() => move(index, index - 1)}
              />
              <IconButton
                icon="down"
                label={texts.moveDown(item.name)}
                disabled={index === items.length - 1}
                onClick={() => move(index, index + 1)}
              />
              <IconButton icon="close" label={texts.removeFrom(item.name)} onClick={() => remove(item.appId)} />
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
