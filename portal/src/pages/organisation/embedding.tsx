/** The portal in the organisation's own product: links that sign in, and the pages that may show it in a frame. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import type { PageName } from '../../api/session';
import { useChange, useQuery } from '../../lib/query';
import { useMay, useSession } from '../../lib/session';
import { strings } from '../../strings';
import { Button, CopyButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { AreaField, CheckField } from '../../ui/field';
import { Card } from '../../ui/parts';
import { Loading, Note, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

const texts = strings.organisation;
const PAGES: PageName[] = ['home', 'routes', 'deliveries', 'events', 'apps', 'organisation'];

export function Embedding() {
  const may = useMay();
  const { organisation, embedded } = useSession();
  const [linking, setLinking] = useState(false);
  const params = { path: { id: organisation.id } };
  const origins = useQuery('frame-ancestors', () => ok(api.GET('/v1/organisations/{id}/frame-ancestors', { params })));
  const link = may('portal-sessions:create') && !embedded && (
    <Button onClick={() => setLinking(true)}>{texts.makeLink}</Button>
  );
  return (
    <Card title={texts.embedding} aside={link}>
      <p class="muted">{texts.embeddingText}</p>
      <ProblemNote problem={origins.problem} />
      {origins.loading && <Loading lines={1} />}
      {origins.data && <Origins origins={origins.data.origins} onSaved={origins.replace} />}
      {linking && <MakeLink onClose={() => setLinking(false)} />}
    </Card>
  );
}

interface OriginsProps {
  origins: string[];
  onSaved: (origins: Schemas['FrameAncestors']) => void;
}

function Origins({ origins, onSaved }: OriginsProps) {
  const may = useMay();
  const { organisation } = useSession();
  const [text, setText] = useState(origins.join('\n'));
  const save = useChange(async () => {
    const body = { origins: text.split(/\s+/).filter(Boolean) };
    const params = { path: { id: organisation.id } };
    onSaved(await ok(api.PUT('/v1/organisations/{id}/frame-ancestors', { params, body })));
    say(strings.common.saved);
  });
  const locked = !may('organisation:manage');
  return (
    <form
      class="stack tight small-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      <AreaField
        label={texts.origins}
        value={text}
        rows={2}
        hint={texts.originsHint}
        onInput={setText}
        disabled={locked}
        optional
      />
      <ProblemNote problem={save.problem} />
      {!locked && (
        <div class="actions">
          <Button submit busy={save.busy}>
            {strings.common.save}
          </Button>
        </div>
      )}
    </form>
  );
}

function MakeLink({ onClose }: { onClose: () => void }) {
  const [pages, setPages] = useState<PageName[]>(PAGES);
  const [url, setUrl] = useState<string | undefined>();
  const make = useChange(async () => setUrl((await ok(api.POST('/v1/portal-sessions', { body: { pages } }))).url));
  const toggle = (page: PageName, on: boolean) =>
    setPages(PAGES.filter((one) => (one === page ? on : pages.includes(one))));
  const actions = url ? (
    <Button look="primary" onClick={onClose}>
      {texts.done}
    </Button>
  ) : (
    <Button look="primary" busy={make.busy} disabled={pages.length === 0} onClick={() => void make.run()}>
      {texts.makeLink}
    </Button>
  );
  return (
    <Dialog title={texts.linkTitle} onClose={onClose} actions={actions}>
      <p>{texts.linkText}</p>
      {url ? (
        <>
          <Note tone="warn">{texts.linkMade}</Note>
          <code class="chip">{url}</code>
          <div class="actions">
            <CopyButton text={url} label={strings.common.copy} />
          </div>
        </>
      ) : (
        <fieldset>
          <legend>{texts.linkPages}</legend>
          <div class="checks">
            {PAGES.map((page) => (
              <CheckField
                key={page}
                label={strings.pages[page]}
                checked={pages.includes(page)}
                onChange={(on) => toggle(page, on)}
              />
            ))}
          </div>
        </fieldset>
      )}
      <ProblemNote problem={make.problem} />
    </Dialog>
  );
}
