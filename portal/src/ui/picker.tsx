/** A searchable list to choose from: a combobox with a listbox, as specified by the ARIA authoring practices. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { strings } from '../strings';
import { Icon, type IconName } from './icon';

export interface Option {
  value: string;
  label: string;
  icon?: IconName;
  /** Text beside the label, such as “the bot is not in it”. */
  note?: string;
  good?: boolean;
  /** The reason why it cannot be chosen. */
  disabled?: boolean;
}

interface PickerProps {
  label: string;
  options: Option[];
  value: string;
  onChange: (value: string) => void;
  loading?: boolean;
  hint?: ComponentChildren;
  placeholder?: string;
}

const SHOWN = 100;

function matching(options: Option[], text: string): Option[] {
  const words = text.toLowerCase().replace(/^#/, '').split(/\s+/).filter(Boolean);
  return options.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
}

export function Picker({ label, options, value, onChange, loading, hint, placeholder }: PickerProps) {
  const id = useId();
  const [text, setText] = useState<string | undefined>();
  const [active, setActive] = useState(0);
  const chosen = options.find((option) => option.value === value);
  const open = text !== undefined;
  const found = open ? matching(options, text).slice(0, SHOWN) : [];
  const hidden = open ? matching(options, text).length - found.length : 0;
  const choose = (option: Option | undefined) => {
    if (!option || option.disabled) return;
    onChange(option.value);
    setText(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (!open) setText('');
      else setActive(Math.max(0, Math.min(found.length - 1, active + step)));
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      setText(undefined);
    }
  };
  return (
    <div class="field picker">
      <label for={id}>{label}</label>
      <div class="picker-box">
        <Icon name={chosen?.icon && !open ? chosen.icon : 'search'} />
        <input
          id={id}
          role="combobox"
          autocomplete="off"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={open && found[active] ? `${id}-${active}` : undefined}
          aria-describedby={hint ? `${id}-hint` : undefined}
          placeholder={loading ? strings.common.loading : (placeholder ?? strings.common.search)}
          value={open ? text : (chosen?.label ?? '')}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setActive(0);
          }}
          onClick={() => !open && setText('')}
          onKeyDown={onKeyDown}
          onBlur={() => setText(undefined)}
        />
      </div>
      <Listbox id={id} label={label} open={open} found={found} active={active} choose={choose} />
      {open && found.length === 0 && (
        <p class="picker-none">{loading ? strings.common.loading : strings.common.nothingFound}</p>
      )}
      {open && hidden > 0 && <p class="hint">{strings.common.moreFound(hidden)}</p>}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface ListboxProps {
  id: string;
  label: string;
  open: boolean;
  found: Option[];
  active: number;
  choose: (option: Option) => void;
}

function Listbox({ id, label, open, found, active, choose }: ListboxProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active, open]);
  return (
    <div ref={list} id={`${id}-list`} role="listbox" aria-label={label} hidden={!open} class="picker-list">
      {found.map((option, index) => (
        <div
          key={option.value}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          aria-disabled={option.disabled || undefined}
          tabIndex={-1}
          onPointerDown={(event) => {
            event.preventDefault();
            choose(option);
          }}
        >
          {option.icon && <Icon name={option.icon} />}
          <span class="picker-label">{option.label}</span>
          {option.note && <span class={option.good ? 'picker-note good' : 'picker-note'}>{option.note}</span>}
        </div>
      ))}
    </div>
  );
}
