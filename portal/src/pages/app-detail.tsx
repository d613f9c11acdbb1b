/** An installed app: its state, settings and secret. */
import { api, ok, type Schemas } from '../api/client';
import { useChange, useQuery } from '../lib/query';
import { go } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button, CopyButton } from '../ui/button';
import { CheckField } from '../ui/field';
import { Card, Facts, PageHead, Time } from '../ui/parts';
import { Removal } from '../ui/removal';
import { SecretValue } from '../ui/secret';
import { EnabledBadge, Loading, ProblemNote } from '../ui/state';
import { say } from '../ui/toast';
import { AppSettings } from './apps/settings';

const texts = strings.apps;

export function AppPage({ id }: { id: string }) {
  const may = useMay();
  const params = { path: { id } };
  const app = useQuery(`app ${id}`, () => ok(api.GET('/v1/apps/{id}', { params })));
  const manages = may('integrations:manage');
  const toggle = useChange(async (active: boolean) => {
    app.replace(await ok(api.PATCH('/v1/apps/{id}', { params, body: { active } })));
    say(strings.common.saved);
  });
  const remove = async () => {
    await ok(api.DELETE('/v1/apps/{id}', { params }));
    say(texts.uninstalled);
    go('/apps');
  };
  const shown = app.data;
  const actions = shown && (
    <>
      <CopyButton text={id} />
      {manages && (
        <Removal
          label={texts.uninstall}
          title={texts.uninstallTitle(shown.name)}
          text={texts.uninstallText}
          remove={remove}
        />
      )}
    </>
  );
  return (
    <>
      <PageHead title={shown?.name ?? texts.title} back={['/apps', texts.title]} actions={actions}>
        {shown?.description}
      </PageHead>
      <div class="stack">
        <ProblemNote problem={app.problem ?? toggle.problem} retry={() => void app.refetch()} />
        {app.loading && <Loading />}
        {shown && (
          <div class="columns side">
            <AppSettings app={shown} />
            <div class="stack">
              <AppFacts app={shown} />
              {manages && (
                <Card title={texts.state}>
                  <CheckField
                    kind="switch"
                    label={texts.active}
                    checked={shown.active}
                    onChange={(on) => void toggle.run(on)}
                    hint={texts.activeHint}
                  />
                </Card>
              )}
              {manages && shown.isOauth && <Connection id={id} />}
              {manages && may('secrets:read') && <Signing id={id} />}
            </div>
          </div>
        )}
      </div>
    </>
  );
}

function AppFacts({ app }: { app: Schemas['App'] }) {
  const page = app.pageUrl && /^https?:/.test(app.pageUrl) ? app.pageUrl : undefined;
  return (
    <Card title={texts.about} aside={<EnabledBadge enabled={app.active} />}>
      <Facts
        facts={[
          [texts.kind, app.kind ? (texts.kinds[app.kind] ?? app.kind) : undefined],
          [texts.origin, app.registryVersion ? texts.version(app.registryVersion.version) : texts.byUrl],
          [texts.since, <Time key="since" at={app.createdAt} />],
        ]}
      />
      {app.descriptorUrl && (
        <p class="small">
          <span class="muted">{texts.descriptorUrl}</span>
          <br />
          <code>{app.descriptorUrl}</code>
        </p>
      )}
      {page && (
        <a href={page} target="_blank" rel="noopener noreferrer">
          {texts.page}
        </a>
      )}
    </Card>
  );
}

/** The button that leads to the page of an OAuth app. */
function Connection({ id }: { id: string }) {
  const connect = useChange(async () => {
    const { url } = await ok(api.POST('/v1/apps/{id}/authorisation', { params: { path: { id } } }));
    if (/^https?:/.test(url)) window.location.assign(url);
  });
  return (
    <Card title={texts.connection}>
      <p class="muted">{texts.connectText}</p>
      <Button busy={connect.busy} onClick={() => void connect.run()}>
        {texts.connect}
      </Button>
      <ProblemNote problem={connect.problem} />
    </Card>
  );
}

function Signing({ id }: { id: string }) {
  const params = { path: { id } };
  return (
    <Card title={texts.signing}>
      <p class="muted">{texts.signingText}</p>
      <SecretValue
        label={texts.signingSecret}
        read={async () => (await ok(api.GET('/v1/apps/{id}/signing-secret', { params }))).secret}
        rotate={() => ok(api.POST('/v1/apps/{id}/signing-secret/rotate', { params }))}
      />
    </Card>
  );
}
