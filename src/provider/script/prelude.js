// Globals of a script beside the language. Captures the functions it needs: the script may overwrite all of them.
(function (write, storeText) {
  'use strict';
  const { stringify, parse } = JSON;
  const { apply, defineProperty } = Reflect;
  const { create, freeze, keys } = Object;
  const Text = String;
  const Problem = Error;
  const bound = (method) => (self, ...rest) => apply(method, self, rest);
  const texts = String.prototype;
  const slice = bound(texts.slice);
  const wellFormed = bound(texts.toWellFormed);
  const isFault = Error.isError;

  const give = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });

  // console

  const LINE = 2000;
  const shown = (value) => {
    if (typeof value === 'string') return value;
    if (typeof value !== 'object' || value === null) return Text(value);
    try {
      if (isFault(value)) return `${value.name}: ${value.message}`;
      const text = stringify(value);
      return text === undefined ? '[object]' : text;
    } catch (error) {
      return '[object]';
    }
  };
  const line = (level) => (...values) => {
    let text = '';
    for (let i = 0; i < values.length && text.length <= LINE; i += 1) {
      text += (i > 0 ? ' ' : '') + slice(shown(values[i]), 0, LINE + 1);
    }
    write(level, wellFormed(text.length > LINE ? `${slice(text, 0, LINE)}…` : text));
  };
  give('console', {
    log: line('log'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    debug: line('debug'),
  });

  // Store: its values stay as they are until the end of the run, and are JSON from then on.

  let held;
  const store = () => {
    if (held === undefined) {
      const read = parse(storeText());
      held = create(null);
      const names = keys(read);
      for (let i = 0; i < names.length; i += 1) held[names[i]] = read[names[i]];
    }
    return held;
  };
  give('Store', freeze({
    get: (key) => store()[key],
    set: (key, value) => {
      store()[key] = value;
      return value;
    },
  }));

  // s: a part of underscore.string, as s.trim(text) and as s(text).trim().value().

  const trim = bound(texts.trim);
  const trimStart = bound(texts.trimStart);
  const trimEnd = bound(texts.trimEnd);
  const lower = bound(texts.toLowerCase);
  const upper = bound(texts.toUpperCase);
  const includes = bound(texts.includes);
  const startsWith = bound(texts.startsWith);
  const endsWith = bound(texts.endsWith);
  const repeat = bound(texts.repeat);
  const padStart = bound(texts.padStart);
  const padEnd = bound(texts.padEnd);
  const split = bound(texts.split);
  const replace = bound(texts.replace);
  const indexOf = bound(texts.indexOf);
  const lastIndexOf = bound(texts.lastIndexOf);
  const join = bound(Array.prototype.join);
  const reverse = bound(Array.prototype.reverse);
  const { min, max, floor } = Math;

  const text = (value) => (value === null || value === undefined ? '' : Text(value));
  const count = (value) => max(0, floor(Number(value)) || 0);
  const quoted = (value) => replace(value, /[-/\\^$*+?.()|[\]{}]/g, '\\$&');
  const around = (characters) => (characters === undefined ? '\\s' : `[${quoted(text(characters))}]`);
  const first = (value, change) => change(slice(value, 0, 1)) + slice(value, 1);
  const entities = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' };
  const characters = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', '#39': "'" };

  const helpers = {
    trim: (value, chars) =>
      chars === undefined
        ? trim(text(value))
        : replace(text(value), new RegExp(`^${around(chars)}+|${around(chars)}+$`, 'g'), ''),
    ltrim: (value, chars) =>
      chars === undefined ? trimStart(text(value)) : replace(text(value), new RegExp(`^${around(chars)}+`), ''),
    rtrim: (value, chars) =>
      chars === undefined ? trimEnd(text(value)) : replace(text(value), new RegExp(`${around(chars)}+$`), ''),
    clean: (value) => replace(trim(text(value)), /\s\s*/g, ' '),
    include: (value, part) => part === '' || includes(text(value), text(part)),
    startsWith: (value, part, at) => startsWith(text(value), text(part), at),
    endsWith: (value, part, end) => endsWith(text(value), text(part), end),
    isBlank: (value) => trim(text(value)) === '',
    capitalize: (value, lowercaseRest) => first(lowercaseRest === true ? lower(text(value)) : text(value), upper),
    decapitalize: (value) => first(text(value), lower),
    titleize: (value) => replace(lower(text(value)), /(?:^|\s|-)\S/g, upper),
    camelize: (value) => replace(trim(text(value)), /[-_\s]+(.)?/g, (all, next) => (next ? upper(next) : '')),
    underscored: (value) =>
      lower(replace(replace(trim(text(value)), /([a-z\d])([A-Z]+)/g, '$1_$2'), /[-\s]+/g, '_')),
    dasherize: (value) => lower(replace(replace(trim(text(value)), /([A-Z])/g, '-$1'), /[-_\s]+/g, '-')),
    humanize: (value) =>
      helpers.capitalize(trim(replace(replace(helpers.underscored(value), /_id$/, ''), /_/g, ' '))),
    slugify: (value) =>
      replace(
        replace(lower(replace(trim(text(value)).normalize('NFD'), /[\u0300-\u036f]/g, '')), /[^a-z0-9]+/g, '-'),
        /^-+|-+$/g,
        '',
      ),
    words: (value, separator) =>
      helpers.isBlank(value) ? [] : split(helpers.trim(value, separator), separator === undefined ? /\s+/ : separator),
    lines: (value) => (value === null || value === undefined ? [] : split(text(value), /\r\n?|\n/)),
    chars: (value) => split(text(value), ''),
    reverse: (value) => join(reverse(split(text(value), '')), ''),
    repeat: (value, times, separator) => {
      if (separator === undefined || separator === null) return repeat(text(value), count(times));
      const n = count(times);
      return n === 0 ? '' : text(value) + repeat(text(separator) + text(value), n - 1);
    },
    count: (value, part) => (text(part) === '' ? 0 : split(text(value), text(part)).length - 1),
    escapeHTML: (value) => replace(text(value), /[&<>"']/g, (char) => `&${entities[char]};`),
    unescapeHTML: (value) =>
      replace(text(value), /&([a-z]+|#\d{1,7}|#x[\da-f]{1,6});/gi, (entity, name) => {
        const known = characters[name];
        if (typeof known === 'string') return known;
        if (name[0] !== '#') return entity;
        const code = name[1] === 'x' || name[1] === 'X' ? parseInt(slice(name, 2), 16) : parseInt(slice(name, 1), 10);
        return code <= 0x10ffff ? Text.fromCodePoint(code) : entity;
      }),
    stripTags: (value) => replace(text(value), /<\/?[^<>]*>/g, ''),
    truncate: (value, length, ending) => {
      const whole = text(value);
      const most = count(length);
      return whole.length > most ? slice(whole, 0, most) + (ending === undefined ? '...' : text(ending)) : whole;
    },
    prune: (value, length, ending) => {
      const whole = text(value);
      const end = ending === undefined ? '...' : text(ending);
      if (whole.length <= count(length)) return whole;
      const head = slice(whole, 0, count(length) + 1);
      const cut = replace(replace(head, /\s*\S*$/, ''), /[\s.,;:!?]+$/, '');
      return (cut + end).length > whole.length ? whole : cut + end;
    },
    lpad: (value, length, padding) => padStart(text(value), count(length), padding || ' '),
    rpad: (value, length, padding) => padEnd(text(value), count(length), padding || ' '),
    splice: (value, at, remove, put) => {
      const whole = text(value);
      return slice(whole, 0, at) + text(put) + slice(whole, min(whole.length, at + count(remove)));
    },
    insert: (value, at, put) => helpers.splice(value, at, 0, put),
    replaceAll: (value, find, put, ignoreCase) =>
      replace(text(value), new RegExp(quoted(text(find)), ignoreCase === true ? 'gi' : 'g'), put),
    strLeft: (value, separator) => {
      const at = separator === undefined ? -1 : indexOf(text(value), text(separator));
      return at < 0 ? text(value) : slice(text(value), 0, at);
    },
    strLeftBack: (value, separator) => {
      const at = lastIndexOf(text(value), text(separator));
      return at < 0 ? text(value) : slice(text(value), 0, at);
    },
    strRight: (value, separator) => {
      const at = separator === undefined ? -1 : indexOf(text(value), text(separator));
      return at < 0 ? text(value) : slice(text(value), at + text(separator).length);
    },
    strRightBack: (value, separator) => {
      const at = separator === undefined ? -1 : lastIndexOf(text(value), text(separator));
      return at < 0 ? text(value) : slice(text(value), at + text(separator).length);
    },
    surround: (value, wrapper) => text(wrapper) + text(value) + text(wrapper),
    quote: (value, char) => helpers.surround(value, char === undefined ? '"' : char),
    unquote: (value, char) => {
      const mark = char === undefined ? '"' : char;
      const whole = text(value);
      return whole.length > 1 && whole[0] === mark && whole[whole.length - 1] === mark ? slice(whole, 1, -1) : whole;
    },
    toNumber: (value, decimals) => {
      if (value === null || value === undefined) return 0;
      const number = Number(trim(text(value)));
      return decimals > 0 ? Number(number.toFixed(min(20, decimals))) : number;
    },
    toBoolean: (value) => {
      const known = lower(trim(text(value)));
      if (known === 'true' || known === 'yes' || known === 'on' || known === '1') return true;
      if (known === 'false' || known === 'no' || known === 'off' || known === '0') return false;
      return undefined;
    },
    join: (separator, ...parts) => join(parts, text(separator)),
  };
  const also = [
    ['contains', 'include'],
    ['includes', 'include'],
    ['strip', 'trim'],
    ['lstrip', 'ltrim'],
    ['rstrip', 'rtrim'],
    ['pad', 'lpad'],
    ['rjust', 'lpad'],
    ['ljust', 'rpad'],
    ['camelcase', 'camelize'],
    ['toBool', 'toBoolean'],
    ['q', 'quote'],
  ];
  for (const [name, known] of also) helpers[name] = helpers[known];

  // A chain goes on while its value is a text; any other value ends it.
  const Chain = class {
    #value;
    constructor(value) {
      this.#value = value;
    }
    value() {
      return this.#value;
    }
    toString() {
      return text(this.#value);
    }
    static next(chain, helper, rest) {
      const made = apply(helper, undefined, [chain.#value, ...rest]);
      return typeof made === 'string' ? new Chain(made) : made;
    }
  };
  const next = Chain.next;
  for (const name of keys(helpers)) {
    if (name === 'join') continue;
    const helper = helpers[name];
    defineProperty(Chain.prototype, name, {
      value(...rest) {
        return next(this, helper, rest);
      },
      writable: true,
      configurable: true,
    });
  }
  for (const name of ['toUpperCase', 'toLowerCase']) {
    const change = bound(texts[name]);
    defineProperty(Chain.prototype, name, {
      value() {
        return new Chain(change(this.toString()));
      },
      writable: true,
      configurable: true,
    });
  }
  const s = (value) => new Chain(text(value));
  for (const name of keys(helpers)) s[name] = helpers[name];
  give('s', s);

  return () => held;
})
