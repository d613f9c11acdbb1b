/** Form fields with a label, a hint and a fault. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Problem } from '../api/client';
import { strings } from '../strings';

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  fault?: string | undefined;
  optional?: boolean;
  children: (ids: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean | undefined;
  }) => ComponentChildren;
}

export function Field({ label, hint, fault, optional, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>
        {label}
        {optional && <span class="muted"> {strings.common.optional}</span>}
      </label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': fault ? true : undefined })}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: ComponentChildren;
  fault?: string | undefined;
  optional?: boolean;
  type?: 'text' | 'url' | 'email' | 'password' | 'number' | 'search' | 'datetime-local';
  placeholder?: string;
  required?: boolean;
  list?: string[];
  mono?: boolean;
  disabled?: boolean;
}

export function TextField({
  label,
  value,
  onInput,
  hint,
  fault,
  optional,
  type = 'text',
  list,
  mono,
  ...rest
}: TextProps) {
  return (
    <Field label={label} hint={hint} fault={fault} optional={optional ?? false}>
      {(ids) => (
        <>
          <input
            {...ids}
            {...rest}
            // The types of Preact tie the type to other attributes, which are the same for all of these.
            type={type as 'text'}
            value={value}
            class={mono ? 'mono' : undefined}
            list={list ? `${ids.id}-list` : undefined}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
          {list && (
            <datalist id={`${ids.id}-list`}>
              {list.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

interface AreaProps extends Omit<TextProps, 'type' | 'list'> {
  rows?: number;
}

export function AreaField({ label, value, onInput, hint, fault, optional, rows = 4, mono = true, ...rest }: AreaProps) {
  return (
    <Field label={label} hint={hint} fault={fault} optional={optional ?? false}>
      {(ids) => (
        <textarea
          {...ids}
          {...rest}
          rows={rows}
          value={value}
          class={mono ? 'mono' : undefined}
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: [value: string, label: string][];
  onChange: (value: string) => void;
  hint?: ComponentChildren;
  disabled?: boolean;
}

export function SelectField({ label, value, options, onChange, hint, disabled }: SelectProps) {
  return (
    <Field label={label} hint={hint}>
      {(ids) => (
        <select {...ids} value={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map(([one, text]) => (
            <option key={one} value={one} selected={one === value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckProps {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  hint?: string;
  disabled?: boolean;
  kind?: 'checkbox' | 'switch';
}

export function CheckField({ label, checked, onChange, hint, disabled, kind = 'checkbox' }: CheckProps) {
  const id = useId();
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        role={kind === 'switch' ? 'switch' : undefined}
        class={kind}
        checked={checked}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Returns the fault of a field in a problem, by its JSON pointer. */
export function faultAt(problem: Problem | undefined, pointer: string): string | undefined {
  return problem?.errors?.find((error) => error.pointer === pointer)?.detail;
}
