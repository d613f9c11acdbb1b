/** Installation of an app by the address of its descriptor, with the findings of its lint in place. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useChange } from '../../lib/query';
import { go } from '../../lib/router';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Badge, Note, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

const texts = strings.apps;

export function InstallByUrl({ onClose }: { onClose: () => void }) {
  const [url, setUrl] = useState('');
  const [report, setReport] = useState<Schemas['LintReport'] | undefined>();
  const lint = useChange(async () => setReport(await ok(api.POST('/v1/apps/lint', { body: { url: url.trim() } }))));
  const install = useChange(async () => {
    const app = await ok(api.POST('/v1/apps', { body: { descriptorUrl: url.trim() } }));
    say(texts.installedNow(app.name));
    go(`/apps/${app.id}`);
  });
  const change = (text: string) => {
    setUrl(text);
    setReport(undefined);
  };
  const actions = (
    <>
      <Button onClick={onClose}>{strings.common.cancel}</Button>
      {report?.valid ? (
        <Button look="primary" busy={install.busy} onClick={() => void install.run()}>
          {texts.install}
        </Button>
      ) : (
        <Button look="primary" busy={lint.busy} disabled={!url.trim()} onClick={() => void lint.run()}>
          {texts.check}
        </Button>
      )}
    </>
  );
  return (
    <Dialog title={texts.installByUrl} onClose={onClose} actions={actions} wide>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void lint.run();
        }}
      >
        <TextField
          type="url"
          label={texts.descriptorUrl}
          value={url}
          onInput={change}
          hint={texts.descriptorHint}
          placeholder="https://example.com/integration.json"
          required
        />
      </form>
      <ProblemNote problem={lint.problem ?? install.problem} />
      <div role="status" aria-live="polite" class="stack tight">
        {report && (
          <Note tone={report.valid ? 'good' : 'bad'}>{report.valid ? texts.lintValid : texts.lintInvalid}</Note>
        )}
        {report && report.findings.length > 0 && <Findings findings={report.findings} />}
      </div>
    </Dialog>
  );
}

function Findings({ findings }: { findings: Schemas['LintFinding'][] }) {
  return (
    <ul class="list" aria-label={texts.findings}>
      {findings.map(({ severity, path, line, rule, message }) => (
        <li key={`${path} ${rule} ${message}`}>
          <Badge tone={severity === 'error' ? 'bad' : 'warn'} icon={severity === 'error' ? 'cross' : 'warn'}>
            {texts.severities[severity]}
          </Badge>
          <span class="grow">
            {message}
            <br />
            <code class="muted">{path || '/'}</code>{' '}
            {line !== undefined && <span class="muted">{texts.line(line)}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
