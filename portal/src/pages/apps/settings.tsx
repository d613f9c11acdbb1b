/** The settings of an app as a form, made from its descriptor. */
import { useState } from 'preact/hooks';
import { api, ok, type Schemas } from '../../api/client';
import { useChange, useQuery } from '../../lib/query';
import { useMay } from '../../lib/session';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { CheckField, SelectField, TextField } from '../../ui/field';
import { Card } from '../../ui/parts';
import { Loading, ProblemNote } from '../../ui/state';
import { say } from '../../ui/toast';

type Setting = Schemas['AppSetting'];
type Values = Schemas['AppSettings']['settings'];
type Value = Values[string];

const texts = strings.apps;

export function AppSettings({ app }: { app: Schemas['App'] }) {
  const params = { path: { id: app.id } };
  const stored = useQuery(`app-settings ${app.id}`, () => ok(api.GET('/v1/apps/{id}/settings', { params })), {
    fresh: true,
  });
  if (app.declaredSettings.length === 0) {
    return (
      <Card title={texts.settings}>
        <p class="muted">{texts.noSettings}</p>
      </Card>
    );
  }
  return (
    <Card title={texts.settings}>
      <ProblemNote problem={stored.problem} retry={() => void stored.refetch()} />
      {stored.loading && <Loading lines={3} />}
      {stored.data && <Form app={app} initial={stored.data.settings} onSaved={stored.replace} />}
    </Card>
  );
}

interface FormProps {
  app: Schemas['App'];
  initial: Values;
  onSaved: (settings: Schemas['AppSettings']) => void;
}

function Form({ app, initial, onSaved }: FormProps) {
  const may = useMay();
  const [values, setValues] = useState<Values>(initial);
  const save = useChange(async () => {
    const params = { path: { id: app.id } };
    const settings = await ok(api.PUT('/v1/apps/{id}/settings', { params, body: { settings: values } }));
    onSaved(settings);
    setValues(settings.settings);
    say(strings.common.saved);
  });
  const locked = !may('integrations:manage');
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save.run();
      }}
    >
      <fieldset class="stack" disabled={locked}>
        {app.declaredSettings.map((setting) => (
          <SettingField
            key={setting.label}
            setting={setting}
            value={values[setting.label] ?? (setting.default as Value | undefined)}
            onChange={(value) => setValues({ ...values, [setting.label]: value })}
          />
        ))}
      </fieldset>
      <ProblemNote problem={save.problem} />
      {!locked && (
        <div class="actions">
          <Button submit look="primary" busy={save.busy}>
            {strings.common.save}
          </Button>
        </div>
      )}
    </form>
  );
}

interface FieldProps {
  setting: Setting;
  value: Value | undefined;
  onChange: (value: Value) => void;
}

function listOf(value: Value | undefined): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string'
    ? value
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean)
    : [];
}

function SettingField({ setting, value, onChange }: FieldProps) {
  const { label, kind, options, description, required, secret } = setting;
  const shared = { label, hint: description, optional: !required };
  if (kind === 'checkbox') {
    const checked = value === true || value === 'true';
    return (
      <CheckField label={label} checked={checked} onChange={onChange} {...(description ? { hint: description } : {})} />
    );
  }
  if (kind === 'multi-checkbox') return <Choices setting={setting} value={value} onChange={onChange} />;
  if (options.length > 0 && kind !== 'multi-select') {
    const choices = options.map((option): [string, string] => [option, option]);
    const empty: [string, string][] = required ? [] : [['', strings.common.any]];
    return (
      <SelectField
        label={label}
        hint={description}
        value={String(value ?? '')}
        options={[...empty, ...choices]}
        onChange={onChange}
      />
    );
  }
  const text = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  const onInput = (next: string) =>
    onChange(kind === 'number' && next.trim() !== '' && !Number.isNaN(Number(next)) ? Number(next) : next);
  return <TextField {...shared} type={secret ? 'password' : 'text'} value={text} onInput={onInput} />;
}

function Choices({ setting, value, onChange }: FieldProps) {
  const chosen = listOf(value);
  return (
    <fieldset>
      <legend>{setting.label}</legend>
      <div class="checks">
        {setting.options.map((option) => (
          <CheckField
            key={option}
            label={option}
            checked={chosen.includes(option)}
            onChange={(on) => onChange(on ? [...chosen, option] : chosen.filter((one) => one !== option))}
          />
        ))}
      </div>
      {setting.description && <p class="hint">{setting.description}</p>}
    </fieldset>
  );
}
