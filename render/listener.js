// Runs before the page's scripts, in our world: collects what witness.js tells and what was thrown, for facts.js to read.
window.glmvSeen = {console: [], requests: []};
(() => {
  const seen = window.glmvSeen;
  const keep = (list, what) => { if (list.length < 100) list.push(String(what).slice(0, 2000)); };
  addEventListener('glmv-witness', (event) => {
    const detail = String(event.detail);
    const kind = detail.slice(0, detail.indexOf(' '));
    const what = detail.slice(kind.length + 1);
    if (kind === 'error') keep(seen.console, what);
    if (kind === 'request') keep(seen.requests, what);
  }, true);
  addEventListener('error', (event) => {
    if (event.message) keep(seen.console, `${event.message} (line ${event.lineno})`);
  }, true);
  addEventListener('unhandledrejection', (event) => {
    let reason = 'a promise was rejected';
    try { reason = String(event.reason); } catch (error) { /* it has no text */ }
    keep(seen.console, `Unhandled rejection: ${reason}`);
  }, true);
})();
