// Runs first in every box. Takes out what scripts do without and engines have defects in.
(function (isOver) {
  'use strict';
  const globals = globalThis;
  for (const name of ['SharedArrayBuffer', 'Atomics', 'BigInt64Array', 'BigUint64Array']) {
    delete globals[name];
  }
  // Both let a script's code run while the engine makes the very error that is to stop it.
  delete Error.prepareStackTrace;
  delete Error.stackTraceLimit;
})
