/** A message as Slack shows it, in outline: mrkdwn as text, emphasis and quotes; never as markup of this page. */
import type { ComponentChildren } from 'preact';
import { strings } from '../../strings';
import { Code } from '../../ui/parts';
import { Mark } from '../../ui/shell';

interface Block {
  type?: string;
  text?: { text?: string } | string;
  fields?: { text?: string }[];
  elements?: { text?: string | { text?: string } }[];
}

/** Returns the texts of a message: those of its blocks, or its text. */
function textsOf(content: unknown): string[] | undefined {
  if (typeof content === 'string') {
    try {
      const value: unknown = JSON.parse(content);
      return typeof value === 'object' && value !== null ? textsOf(value) : [content];
    } catch {
      return [content];
    }
  }
  if (typeof content !== 'object' || content === null) return undefined;
  const { message, text, blocks } = content as { message?: unknown; text?: unknown; blocks?: unknown };
  if (message !== undefined) return textsOf(message);
  if (Array.isArray(blocks)) return blocks.flatMap((block) => textsOfBlock(block as Block));
  return typeof text === 'string' ? [text] : undefined;
}

function textsOfBlock({ text, fields = [], elements = [] }: Block): string[] {
  const own = typeof text === 'string' ? text : text?.text;
  const parts = [...fields, ...elements].map((part) => (typeof part.text === 'string' ? part.text : part.text?.text));
  return [own, ...parts].filter((part): part is string => typeof part === 'string');
}

const ENTITIES: [string, string][] = [
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&amp;', '&'],
];

function plain(text: string): string {
  return ENTITIES.reduce((result, [entity, character]) => result.replaceAll(entity, character), text);
}

const TOKENS = /(\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|`[^`\n]+`|<[^<>\n]+>)/;

function token(part: string, key: number): ComponentChildren {
  const inner = part.slice(1, -1);
  if (!TOKENS.test(part)) return plain(part);
  if (part.startsWith('*')) return <strong key={key}>{plain(inner)}</strong>;
  if (part.startsWith('_')) return <em key={key}>{plain(inner)}</em>;
  if (part.startsWith('~')) return <s key={key}>{plain(inner)}</s>;
  if (part.startsWith('`')) return <code key={key}>{plain(inner)}</code>;
  const [target = '', label] = inner.split('|');
  return (
    <u key={key} title={plain(target)}>
      {plain(label ?? target)}
    </u>
  );
}

function Mrkdwn({ text }: { text: string }) {
  const quoted = text.startsWith('>') || text.startsWith('&gt;');
  const parts = (quoted ? text.replace(/^(>|&gt;)\s?/, '') : text).split(TOKENS).map(token);
  return quoted ? <blockquote>{parts}</blockquote> : <p>{parts}</p>;
}

export function SlackPreview({ content }: { content: unknown }) {
  const texts = textsOf(content);
  if (!texts || texts.length === 0) return <Code text={JSON.stringify(content)} label={strings.editor.preview} />;
  return (
    <div class="message">
      <span class="message-mark">
        <Mark size={36} />
      </span>
      <div>
        <p>
          <strong>{strings.editor.slackApp}</strong> <span class="chip">{strings.editor.appTag}</span>
        </p>
        <div class="message-body">
          {texts.map((text, index) => (
            <Mrkdwn key={index} text={text} />
          ))}
        </div>
      </div>
    </div>
  );
}
