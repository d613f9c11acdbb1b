/** Conditions as rows of a form, and as the expression (CEL) that they stand for. */

export const OPERATORS = ['==', '!=', '>', '<', 'contains', 'startsWith'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  field: string;
  operator: Operator;
  value: string;
}

const FIELD = /^(?:attributes|data|event)(?:\.[A-Za-z_]\w*)+$/;
const COMPARISON = /^((?:attributes|data|event)(?:\.[A-Za-z_]\w*)+) (==|!=|>|<) (.+)$/;
const CALL = /^((?:attributes|data|event)(?:\.[A-Za-z_]\w*)+)\.(contains|startsWith)\((.+)\)$/;

/** Returns whether a field can be named in an expression. */
export function isField(text: string): boolean {
  return FIELD.test(text.trim());
}

/** Writes a value: numbers and truth values of `data` as they are, everything else as a text. */
function literal(field: string, value: string): string {
  const bare = /^(-?\d+(\.\d+)?|true|false)$/.test(value.trim());
  return bare && field.startsWith('data.') ? value.trim() : JSON.stringify(value);
}

function write({ field, operator, value }: Condition): string {
  const path = field.trim();
  if (operator === 'contains' || operator === 'startsWith') return `${path}.${operator}(${JSON.stringify(value)})`;
  return `${path} ${operator} ${literal(path, value)}`;
}

/** Returns the expression of all conditions whose field can be named. */
export function expressionOf(conditions: Condition[]): string {
  return conditions
    .filter(({ field }) => isField(field))
    .map(write)
    .join(' && ');
}

function literalValue(text: string): string | undefined {
  if (/^(-?\d+(\.\d+)?|true|false)$/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function read(text: string): Condition | undefined {
  const found = CALL.exec(text) ?? COMPARISON.exec(text);
  const [, field, operator, literalText] = found ?? [];
  const value = literalText === undefined ? undefined : literalValue(literalText);
  if (field === undefined || value === undefined) return undefined;
  return { field, operator: operator as Operator, value };
}

/** Reads an expression as conditions; one that no form has written stays an expression. */
export function conditionsOf(expression: string): Condition[] | undefined {
  if (!expression.trim()) return [];
  const conditions = expression.split(' && ').map(read);
  const all = conditions.filter((one): one is Condition => one !== undefined);
  // Only what is written again as it was is safe to edit as a form.
  return all.length === conditions.length && expressionOf(all) === expression ? all : undefined;
}
