/** The script of a webhook, with the error that the server found in it. */
import type { Schemas } from '../../api/client';
import { strings } from '../../strings';
import { AreaField, CheckField } from '../../ui/field';
import { Card } from '../../ui/parts';
import { Note } from '../../ui/state';

const texts = strings.webhooks;

export interface Script {
  scriptEnabled?: boolean;
  script?: string;
}

interface ScriptProps {
  value: Script;
  error: Schemas['ScriptError'] | undefined;
  onChange: (change: Script) => void;
}

export function ScriptPart({ value, error, onChange }: ScriptProps) {
  return (
    <Card title={texts.script}>
      <CheckField
        kind="switch"
        label={texts.scriptEnabled}
        checked={value.scriptEnabled ?? false}
        onChange={(scriptEnabled) => onChange({ scriptEnabled })}
      />
      <AreaField
        label={texts.script}
        value={value.script ?? ''}
        rows={14}
        hint={texts.scriptHint}
        onInput={(script) => onChange({ script })}
        optional
      />
      {error && (
        <Note tone="bad">
          <p>
            <strong>{error.name}</strong>: {error.message}
          </p>
        </Note>
      )}
    </Card>
  );
}
