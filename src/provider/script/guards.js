// Runs first in every sandbox. The engine checks the deadline once in ten thousand calls and turns of loops, and never
// within most of its own functions. So:
//
// - Features that scripts do without and engines have defects in, or with unbounded single steps, are removed.
// - A function of the language that may take long checks the deadline itself, before it begins. Its exception can be
//   caught; the engine's own check then follows soon, and its exception cannot.
// - One whose cost is not bounded by memory refuses inputs that would take too long, or is replaced by a loop.
(function (isOver) {
  'use strict';
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const { isArray } = Array;
  const Text = String;
  const Quantity = Number;
  const Problem = Error;
  const TypeProblem = TypeError;
  const RangeProblem = RangeError;
  const { min, max, trunc } = Math;
  const { match: matchSymbol, replace: replaceSymbol, split: splitSymbol, isConcatSpreadable } = Symbol;

  // Length of texts and lists from which on the deadline is checked.
  const BIG = 1024;
  // No list of this length fits the memory, so most of it is holes.
  const LONG = 10_000_000;
  // Comparisons of characters in one search.
  const SEARCH = 2 ** 28;
  // Putting combining characters in order takes time by the square of their number.
  const COMPOSED = 16_384;

  const check = () => {
    if (isOver()) throw new Problem('the time of the script is up');
  };
  const put = (owner, name, value) =>
    defineProperty(owner, name, { value, writable: true, enumerable: false, configurable: true });
  // A method, so that it is no constructor, with the length of the replaced function.
  const replaceMethod = (owner, name, make) => {
    const original = owner[name];
    if (typeof original !== 'function') return;
    const body = make(original);
    const method = { [name](...rest) { return body(this, rest); } }[name];
    defineProperty(method, 'length', { value: original.length, configurable: true });
    put(owner, name, method);
  };
  const askFirst = (owner, names) => {
    for (const name of names) {
      replaceMethod(owner, name, (original) => (self, rest) => {
        check();
        return apply(original, self, rest);
      });
    }
  };

  // Removed

  for (const name of ['SharedArrayBuffer', 'Atomics', 'BigInt', 'BigInt64Array', 'BigUint64Array']) {
    delete globalThis[name];
  }
  for (const name of ['getBigInt64', 'getBigUint64', 'setBigInt64', 'setBigUint64']) delete DataView.prototype[name];
  for (const name of ['resize', 'transfer', 'transferToImmutable', 'transferToFixedLength', 'sliceToImmutable']) {
    delete ArrayBuffer.prototype[name];
  }
  for (const name of ['chunks', 'windows', 'includes', 'join', 'drop']) delete Iterator.prototype[name];
  delete RegExp.prototype.compile;
  // Both let a script's code run while the engine makes the very error that is to stop it.
  delete Error.prepareStackTrace;
  delete Error.stackTraceLimit;

  // No code from text. Bundles look for the global object in this way, so that much is supported.

  const refuseText = () => {
    throw new EvalError('a script cannot make code from text: eval and Function are not available');
  };
  const functions = [function () {}, function* () {}, async function () {}, async function* () {}];
  for (const each of functions) {
    const prototype = getPrototypeOf(each);
    const Native = prototype.constructor;
    const name = Native.name;
    const Made = { [name]: function (...rest) {
      if (rest.length === 1 && /^\s*return this;?\s*$/.test(Text(rest[0]))) return () => globalThis;
      return refuseText();
    } }[name];
    defineProperty(Made, 'prototype', { value: prototype, writable: false });
    put(prototype, 'constructor', Made);
    if (name === 'Function') put(globalThis, 'Function', Made);
  }
  put(globalThis, 'eval', { eval() { refuseText(); } }.eval);

  // Texts

  const texts = Text.prototype;
  const includesText = texts.includes;
  const selfText = (self, name) => {
    if (typeof self === 'string') return self;
    if (self === null || self === undefined) throw new TypeProblem(`String.prototype.${name} needs a text`);
    return Text(self);
  };
  const has = (value, symbol) => {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
    return isObject ? value[symbol] : undefined;
  };
  const searchable = (self, part) => {
    if (part.length > 1 && self.length * part.length > SEARCH) {
      throw new RangeProblem(`a text of ${self.length} characters is too long to be searched for one of ${part.length}`);
    }
  };
  const onText = (names, before) => {
    for (const name of names) {
      replaceMethod(texts, name, (original) => (self, rest) => {
        const whole = selfText(self, name);
        if (whole.length > BIG) check();
        return apply(original, whole, before === undefined ? rest : before(whole, rest, name));
      });
    }
  };
  onText(['isWellFormed', 'toWellFormed', 'slice', 'substring', 'substr', 'match', 'matchAll', 'search']);
  onText(['trim', 'trimEnd', 'trimStart', 'trimRight', 'trimLeft', 'startsWith', 'endsWith']);
  onText(['toLowerCase', 'toUpperCase', 'toLocaleLowerCase', 'toLocaleUpperCase']);
  onText(['indexOf', 'lastIndexOf', 'includes'], (whole, rest, name) => {
    if (name === 'includes' && has(rest[0], matchSymbol)) {
      throw new TypeProblem('String.prototype.includes takes no regular expression');
    }
    rest[0] = Text(rest[0]);
    searchable(whole, rest[0]);
    return rest;
  });
  onText(['normalize', 'localeCompare'], (whole, rest, name) => {
    if (name === 'localeCompare') rest[0] = Text(rest[0]);
    if (whole.length > COMPOSED || (name === 'localeCompare' && rest[0].length > COMPOSED)) {
      throw new RangeProblem(`String.prototype.${name} takes up to ${COMPOSED} characters`);
    }
    return rest;
  });
  askFirst(texts, ['concat', 'repeat', 'padEnd', 'padStart', 'anchor', 'fontcolor', 'fontsize', 'link']);
  const dispatch = (names, symbol) => {
    for (const name of names) {
      replaceMethod(texts, name, (original) => (self, rest) => {
        const whole = selfText(self, name);
        if (whole.length > BIG) check();
        const pattern = rest[0];
        if (name === 'replaceAll' && has(pattern, matchSymbol) && !apply(includesText, Text(pattern.flags), ['g'])) {
          throw new TypeProblem('String.prototype.replaceAll needs a regular expression with the flag g');
        }
        const own = has(pattern, symbol);
        if (own !== undefined && own !== null) return apply(own, pattern, [whole, rest[1]]);
        if (name === 'split' && pattern === undefined) return apply(original, whole, rest);
        const part = Text(pattern);
        searchable(whole, part);
        return apply(original, whole, [part, rest[1]]);
      });
    }
  };
  dispatch(['replace', 'replaceAll'], replaceSymbol);
  dispatch(['split'], splitSymbol);

  // Regular expressions

  const patterns = RegExp.prototype;
  askFirst(patterns, [replaceSymbol, splitSymbol, matchSymbol, Symbol.matchAll, Symbol.search]);
  const NativePattern = RegExp;
  const Pattern = { RegExp: function (pattern, flags) {
    if (typeof pattern === 'string' && pattern.length > BIG) check();
    return new.target === undefined ? NativePattern(pattern, flags) : construct(NativePattern, [pattern, flags], new.target);
  } }.RegExp;
  for (const key of ownKeys(NativePattern)) {
    defineProperty(Pattern, key, getOwnPropertyDescriptor(NativePattern, key));
  }
  put(patterns, 'constructor', Pattern);
  put(globalThis, 'RegExp', Pattern);

  // Lists. Only an ordinary property reliably has the same value when the engine reads it again.

  const lists = Array.prototype;
  const typedLists = getPrototypeOf(Uint8Array.prototype);
  const typedLength = getOwnPropertyDescriptor(typedLists, 'length').get;
  const lengthOf = (self) => {
    if (isArray(self) || typeof self === 'string') return self.length;
    for (let holder = Object(self); holder !== null; holder = getPrototypeOf(holder)) {
      const found = getOwnPropertyDescriptor(holder, 'length');
      if (found === undefined) continue;
      if (found.get === typedLength) return 0;
      if (found.get !== undefined || found.set !== undefined || typeof found.value === 'object') {
        throw new TypeProblem('a list needs a length that is a number');
      }
      return typeof found.value === 'function' ? 0 : Quantity(found.value);
    }
    return 0;
  };
  const onList = (names, before) => {
    for (const name of names) {
      replaceMethod(lists, name, (original) => (self, rest) => {
        const length = lengthOf(self);
        if (length > LONG) throw new RangeProblem(`Array.prototype.${name} takes up to ${LONG} elements`);
        if (length > BIG) check();
        return apply(original, self, before === undefined ? rest : before(rest));
      });
    }
  };
  onList(['join', 'toLocaleString', 'reverse', 'toReversed', 'shift', 'unshift', 'slice', 'splice', 'toSpliced']);
  onList(['with', 'copyWithin', 'fill', 'includes', 'indexOf', 'lastIndexOf']);
  // The engine compares texts itself where there is no comparison function.
  const byText = (a, b) => {
    const [left, right] = [Text(a), Text(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
  onList(['sort', 'toSorted'], (rest) => (rest[0] === undefined ? [byText] : rest));
  const whole = (value) => min(max(trunc(Quantity(value)) || 0, 0), 2 ** 53 - 1);
  const append = (made, list) => {
    const length = whole(list.length);
    for (let i = 0, at = made.length; i < length; i += 1, at += 1) {
      if (i in list) made[at] = list[i];
      else made.length = at + 1;
    }
  };
  replaceMethod(lists, 'concat', () => (self, rest) => {
    const made = [];
    for (let i = -1; i < rest.length; i += 1) {
      const item = i < 0 ? Object(self) : rest[i];
      const spreads = has(item, isConcatSpreadable);
      if (spreads === undefined ? isArray(item) : spreads) append(made, item);
      else made[made.length] = item;
    }
    return made;
  });
  const flatten = (made, list, depth) => {
    const length = whole(list.length);
    for (let i = 0; i < length; i += 1) {
      if (!(i in list)) continue;
      const item = list[i];
      if (depth > 0 && isArray(item)) flatten(made, item, depth - 1);
      else made[made.length] = item;
    }
    return made;
  };
  const { map } = lists;
  replaceMethod(lists, 'flat', () => (self, rest) =>
    flatten([], Object(self), rest[0] === undefined ? 1 : trunc(Quantity(rest[0])) || 0));
  replaceMethod(lists, 'flatMap', () => (self, rest) => flatten([], apply(map, self, rest), 1));
  askFirst(typedLists, ['set', 'with', 'copyWithin', 'fill', 'reverse', 'toReversed', 'slice', 'sort', 'toSorted']);
  askFirst(typedLists, ['join', 'toLocaleString', 'indexOf', 'lastIndexOf', 'includes']);

  // Other functions that take long on large inputs

  const { stringify } = JSON;
  askFirst(JSON, ['parse']);
  replaceMethod(JSON, 'stringify', () => (self, rest) => {
    check();
    if (isArray(rest[1]) && rest[1].length > LONG) throw new RangeProblem(`JSON.stringify takes up to ${LONG} names`);
    return apply(stringify, JSON, rest);
  });
  askFirst(Object, ['keys', 'values', 'entries', 'assign', 'getOwnPropertyNames', 'getOwnPropertySymbols', 'freeze']);
  askFirst(Object, ['getOwnPropertyDescriptors', 'fromEntries', 'defineProperties', 'seal', 'isFrozen', 'isSealed']);
  askFirst(Reflect, ['ownKeys']);
  askFirst(Array, ['from']);
  askFirst(typedLists.constructor, ['from', 'of']);
  askFirst(globalThis, ['encodeURI', 'encodeURIComponent', 'decodeURI', 'decodeURIComponent', 'escape', 'unescape']);
  // Also makes the constructors call them, each time, instead of running through an iterator by themselves.
  askFirst(Set.prototype, ['add', 'has', 'delete', 'union', 'intersection', 'difference', 'symmetricDifference']);
  askFirst(Set.prototype, ['isDisjointFrom', 'isSubsetOf', 'isSupersetOf']);
  askFirst(Map.prototype, ['set', 'get', 'has', 'delete', 'getOrInsert']);
  askFirst(WeakSet.prototype, ['add']);
  askFirst(WeakMap.prototype, ['set']);
})
