/** The route that is being edited, and its form in the API. */
import type { Schemas } from '../../api/client';
import { type Condition, conditionsOf, expressionOf } from './condition';

export type TargetKind = 'existing' | 'slack' | 'webhook' | 'email' | 'channel' | 'integration';

export interface Draft {
  name: string;
  types: string;
  sources: string[];
  /** Conditions by field, or an expression where they do not suffice. */
  conditions: Condition[];
  expression: string | undefined;
  target: TargetKind;
  /** The destination's id, a Slack channel's id, a URL, an address: as the kind of target has it. */
  address: string;
  template: string;
  github: Schemas['GithubRule'] | undefined;
  enabled: boolean;
  position: number | undefined;
}

export const EMPTY: Draft = {
  name: '',
  types: '',
  sources: [],
  conditions: [],
  expression: undefined,
  target: 'slack',
  address: '',
  template: '',
  github: undefined,
  enabled: true,
  position: undefined,
};

/** Splits at commas and drops what is empty. */
export function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}

export function draftOf(route: Schemas['Route']): Draft {
  const conditions = conditionsOf(route.condition ?? '');
  return {
    name: route.name,
    types: route.types.join(', '),
    sources: route.sources.filter((source) => source !== '*'),
    conditions: conditions ?? [],
    expression: conditions ? undefined : route.condition,
    target: 'existing',
    address: route.destinationId ?? '',
    template: templateText(route.template),
    github: route.rule?.github,
    enabled: route.enabled,
    position: route.position,
  };
}

function templateText(template: unknown): string {
  if (template === undefined || template === null) return '';
  return typeof template === 'string' ? template : JSON.stringify(template, null, 2);
}

/** True for a template that has to be JSON, as opposed to a text. */
function isJson(text: string): boolean {
  return /^\s*[[{](?![{%#])/.test(text);
}

/** Returns whether the template can be read. */
export function isTemplateValid(text: string): boolean {
  if (!isJson(text)) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function templateOf(text: string): unknown {
  return isJson(text) && isTemplateValid(text) ? JSON.parse(text) : text;
}

export function conditionOf(draft: Draft): string {
  return (draft.expression ?? expressionOf(draft.conditions)).trim();
}

/** Returns the destination of the draft, in the form that creates it where it does not exist. */
export function destinationOf({ target, address }: Draft): Schemas['CreateDestination'] {
  return target === 'webhook' ? { kind: target, url: address.trim() } : { kind: target, address: address.trim() };
}

export function isComplete(draft: Draft): boolean {
  return words(draft.types).length > 0 && draft.address.trim() !== '' && isTemplateValid(draft.template);
}

/** Returns the draft as a route to be tested or created. */
export function createOf(draft: Draft): Schemas['CreateRoute'] {
  const route: Schemas['CreateRoute'] = { types: words(draft.types), enabled: draft.enabled };
  const condition = conditionOf(draft);
  if (draft.name.trim()) route.name = draft.name.trim();
  if (draft.sources.length > 0) route.sources = draft.sources;
  if (condition) route.condition = condition;
  if (draft.github) route.rule = { github: draft.github };
  if (draft.template.trim()) route.template = templateOf(draft.template);
  if (draft.position !== undefined) route.position = draft.position;
  if (draft.target === 'existing') route.destinationId = draft.address;
  else route.destination = destinationOf(draft);
  return route;
}

/** Returns the draft as an update, which removes what is empty. */
export function updateOf(draft: Draft, destinationId: string): Schemas['UpdateRoute'] {
  const update: Schemas['UpdateRoute'] = {
    name: draft.name.trim(),
    types: words(draft.types),
    sources: draft.sources.length > 0 ? draft.sources : ['*'],
    condition: conditionOf(draft),
    template: draft.template.trim() ? templateOf(draft.template) : '',
    enabled: draft.enabled,
    destinationId,
  };
  if (draft.github) update.rule = { github: draft.github };
  return update;
}
