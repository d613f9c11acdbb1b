/** Apps: those that are installed, their order in a channel, and the catalogue. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../api/client';
import { useApps } from '../lib/data';
import { useChange, useDebounced, useQuery } from '../lib/query';
import { go, href } from '../lib/router';
import { useMay } from '../lib/session';
import { strings } from '../strings';
import { Button } from '../ui/button';
import { TextField } from '../ui/field';
import { Card, PageHead, Tabs } from '../ui/parts';
import { Badge, Empty, EnabledBadge, Loading, ProblemNote } from '../ui/state';
import { say } from '../ui/toast';
import { ChannelOrder } from './apps/channel-order';
import { InstallByUrl } from './apps/install';

const texts = strings.apps;

export const TABS: [string, string][] = [
  ['/apps', strings.pages.apps],
  ['/webhooks', strings.webhooks.title],
];

export function AppsPage() {
  const may = useMay();
  const apps = useApps();
  const [installing, setInstalling] = useState(false);
  const install = may('integrations:manage') && (
    <Button look="primary" icon="plus" onClick={() => setInstalling(true)}>
      {texts.installByUrl}
    </Button>
  );
  return (
    <>
      <PageHead title={texts.title} actions={install}>
        {texts.lead}
      </PageHead>
      <Tabs label={texts.parts} tabs={TABS} current="/apps" />
      <div class="stack">
        <ProblemNote problem={apps.problem} retry={() => void apps.refetch()} />
        {apps.loading && <Loading />}
        {apps.data && apps.data.length === 0 && <Empty title={texts.none}>{texts.noneText}</Empty>}
        {apps.data && apps.data.length > 0 && (
          <section class="grid" aria-label={texts.installed}>
            {apps.data.map((app) => (
              <AppCard key={app.id} app={app} />
            ))}
          </section>
        )}
        {apps.data && apps.data.length > 0 && <ChannelOrder apps={apps.data} />}
        <Catalogue installed={apps.data ?? []} />
      </div>
      {installing && <InstallByUrl onClose={() => setInstalling(false)} />}
    </>
  );
}

/** An app's logo, from this server or over HTTPS, as the policy demands. */
export function Logo({ url }: { url: string | undefined }) {
  if (!url?.startsWith('https://') && !url?.startsWith(`${window.location.origin}/`)) return null;
  return <img class="app-logo" src={url} alt="" loading="lazy" referrerpolicy="no-referrer" />;
}

function AppCard({ app }: { app: Schemas['App'] }) {
  const title = (
    <>
      <Logo url={app.logoUrl} />
      <a href={href(`/apps/${app.id}`)}>{app.name}</a>
    </>
  );
  return (
    <Card item title={title} aside={<EnabledBadge enabled={app.active} />}>
      <p class="muted">{app.description ?? texts.noDescription}</p>
      <p class="row small">
        {app.kind && <span class="chip">{texts.kinds[app.kind] ?? app.kind}</span>}
        <span class="muted">{app.registryVersion ? texts.version(app.registryVersion.version) : texts.byUrl}</span>
      </p>
    </Card>
  );
}

/** Only the newest version of each name is offered. */
function newest(versions: Schemas['RegistryVersion'][]): Schemas['RegistryVersion'][] {
  const names = new Map<string, Schemas['RegistryVersion']>();
  for (const version of versions) {
    const offered = version.lifecycleStatus === 'published' && !version.dev;
    if (offered && !names.has(version.name)) names.set(version.name, version);
  }
  return [...names.values()];
}

function Catalogue({ installed }: { installed: Schemas['App'][] }) {
  const may = useMay();
  const [text, setText] = useState('');
  const search = useDebounced(text.trim(), 300);
  const versions = useQuery(
    `catalogue ${search}`,
    () => ok(api.GET('/v1/registry/versions', { params: { query: { search: search || undefined, limit: 100 } } })),
    { keep: true, enabled: may('integrations:read') },
  );
  const offered = newest(versions.data?.data ?? []);
  return (
    <section class="stack tight" aria-labelledby="catalogue">
      <h2 id="catalogue">{texts.catalogue}</h2>
      <div class="search">
        <TextField type="search" label={texts.search} value={text} onInput={setText} />
      </div>
      <ProblemNote problem={versions.problem} />
      {versions.loading && !versions.data && <Loading lines={2} />}
      {versions.data && offered.length === 0 && (
        <Empty title={search ? strings.common.nothingFound : texts.emptyCatalogue} />
      )}
      <div class="grid">
        {offered.map((version) => (
          <VersionCard
            key={version.id}
            version={version}
            has={installed.some((app) => app.registryVersion?.name === version.name)}
          />
        ))}
      </div>
    </section>
  );
}

function VersionCard({ version, has }: { version: Schemas['RegistryVersion']; has: boolean }) {
  const may = useMay();
  const install = useChange(async () => {
    const app = await ok(api.POST('/v1/apps', { body: { registryVersion: { id: version.id } } }));
    say(texts.installedNow(app.name));
    go(`/apps/${app.id}`);
  });
  const approved = version.verificationStatus === 'approved';
  const title = (
    <>
      <Logo url={version.iconUrl} />
      {version.title || version.name}
    </>
  );
  const aside = approved ? (
    <Badge tone="good" icon="check">
      {texts.verified}
    </Badge>
  ) : undefined;
  return (
    <Card item title={title} level={3} aside={aside}>
      <p class="muted">{version.description || texts.noDescription}</p>
      <p class="muted small">{texts.published(version.organisation.name, version.version, version.installCount)}</p>
      <ProblemNote problem={install.problem} />
      {may('integrations:manage') && (
        <div class="actions card-foot">
          <Button busy={install.busy} disabled={has} onClick={() => void install.run()}>
            {has ? texts.isInstalled : texts.install}
          </Button>
        </div>
      )}
    </Card>
  );
}
