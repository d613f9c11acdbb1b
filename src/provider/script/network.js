// The network of a script: `serverFetch`, `fetch` and `HTTP`, whose requests the parent makes, one after another, while
// the run waits. `ask` takes a request as JSON and returns the answer, or the failure, as JSON. Without a request it
// returns true where scripts have a network.
(function (ask) {
  'use strict';
  const { stringify, parse } = JSON;
  const { apply, defineProperty } = Reflect;
  const { assign, freeze, hasOwn, keys } = Object;
  const Text = String;
  const Problem = Error;
  const encode = encodeURIComponent;
  const bound = (method) => (self, ...rest) => apply(method, self, rest);
  const lower = bound(Text.prototype.toLowerCase);
  const upper = bound(Text.prototype.toUpperCase);
  const includes = bound(Text.prototype.includes);
  const slice = bound(Text.prototype.slice);
  const test = bound(RegExp.prototype.test);

  const give = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });

  const hasHeader = (headers, wanted) => {
    const names = keys(headers);
    for (let i = 0; i < names.length; i += 1) if (lower(names[i]) === wanted) return true;
    return false;
  };
  const withType = (headers, type) => {
    const typed = assign({}, headers);
    if (!hasHeader(typed, 'content-type')) typed['content-type'] = type;
    return typed;
  };
  const isNothing = (value) => value === undefined || value === null;
  const needNetwork = (name) => {
    if (ask() === true) return;
    throw new Problem(`${name} is not available: a script has no network. Return what is to be sent instead.`);
  };
  // Returns the answer, or throws the failure.
  const send = (name, request) => {
    const { answer, failure } = parse(ask(stringify(request)));
    if (answer === undefined) throw new Problem(`${name}: ${failure}`);
    return answer;
  };
  const query = (params) => {
    const names = keys(isNothing(params) ? {} : params);
    let text = '';
    for (let i = 0; i < names.length; i += 1) {
      text += `${i > 0 ? '&' : ''}${encode(names[i])}=${encode(Text(params[names[i]]))}`;
    }
    return text;
  };
  const withQuery = (url, text) => (text === '' ? url : `${url}${includes(url, '?') ? '&' : '?'}${text}`);

  // serverFetch: as the function of this name, and as `fetch` in browsers.

  const response = ({ status, headers, body }) => ({
    status,
    ok: status >= 200 && status < 300,
    headers: freeze({
      get: (name) => (hasOwn(headers, lower(Text(name))) ? headers[lower(Text(name))] : null),
      has: (name) => hasOwn(headers, lower(Text(name))),
    }),
    text: async () => body,
    json: async () => parse(body),
  });
  const fetching = (name) => (url, options) => {
    needNetwork(name);
    const { method = 'GET', headers, body, params, timeout } = isNothing(options) ? {} : options;
    const type = typeof body === 'string' ? 'text/plain;charset=UTF-8' : 'application/json';
    const request = {
      url: withQuery(Text(url), query(params)),
      method,
      headers: isNothing(body) ? headers : withType(headers, type),
      data: body,
      timeout,
    };
    // A failure is a promise that is rejected.
    return (async () => response(send(name, request)))();
  };
  give('serverFetch', fetching('serverFetch'));
  give('fetch', fetching('fetch'));

  // HTTP: as Meteor's `HTTP.call`, whose answers of 400 and more are errors with a response.

  const isJson = /^(application\/json|(text|application)\/(x-)?javascript)\s*(;|$)/i;
  const called = ({ status, headers, body }) => {
    let data = null;
    if (hasOwn(headers, 'content-type') && test(isJson, headers['content-type'])) {
      try {
        data = parse(body);
      } catch (error) {
        data = null;
      }
    }
    return { statusCode: status, content: body, data, headers };
  };
  const call = (name, method, url, options) => {
    needNetwork(name);
    const { headers, params, query: given, data, content, auth, timeout } = isNothing(options) ? {} : options;
    const [verb, text] = [upper(Text(method)), query(params)];
    const isBodiless = verb === 'GET' || verb === 'HEAD';
    const asForm = !isBodiless && text !== '' && isNothing(content) && isNothing(data);
    const target = withQuery(Text(url), isNothing(given) ? '' : Text(given));
    const answer = send(name, {
      url: asForm ? target : withQuery(target, text),
      method: verb,
      headers: asForm ? withType(headers, 'application/x-www-form-urlencoded') : headers,
      data: asForm ? text : isNothing(content) ? data : Text(content),
      auth,
      timeout,
    });
    const result = called(answer);
    if (result.statusCode < 400) return result;
    const failed = new Problem(`failed [${result.statusCode}] ${slice(result.content, 0, 500)}`);
    failed.response = result;
    throw failed;
  };
  const http = (method, url, options) => {
    needNetwork('HTTP');
    try {
      return { result: call('HTTP', method, url, options) };
    } catch (error) {
      return { error };
    }
  };
  const put = (name, value) => defineProperty(http, name, { value });
  put('call', (method, url, options) => call('HTTP.call', method, url, options));
  for (const verb of ['get', 'post', 'put', 'patch', 'del']) {
    put(verb, (url, options) => call(`HTTP.${verb}`, verb === 'del' ? 'DELETE' : verb, url, options));
  }
  give('HTTP', http);
})
