// Runs before the page's own scripts, in their world: passes on what they report as an error and which addresses they ask
// for. It keeps the functions it needs, since the page may replace them; what a page does to hide its errors is its affair.
(() => {
  const send = window.dispatchEvent.bind(window);
  const Told = CustomEvent;
  const text = String;
  function tell(kind, what) {
    try {
      send(new Told('glmv-witness', {detail: kind + ' ' + text(what).slice(0, 2000)}));
    } catch (error) {
      // What cannot be said as text is not told.
    }
  }
  function watch(owner, name, kind, read) {
    const own = owner && owner[name];
    if (typeof own !== 'function') return;
    owner[name] = new Proxy(own, {
      apply(target, self, args) { tell(kind, read(args)); return Reflect.apply(target, self, args); },
      construct(target, args, made) { tell(kind, read(args)); return Reflect.construct(target, args, made); },
    });
  }
  const first = (args) => (args[0] && args[0].url) || args[0];
  watch(console, 'error', 'error', (args) => args.map((part) => {
    try { return text(part); } catch (error) { return '?'; }
  }).join(' '));
  watch(window, 'fetch', 'request', first);
  watch(XMLHttpRequest.prototype, 'open', 'request', (args) => args[1]);
  watch(Navigator.prototype, 'sendBeacon', 'request', first);
  for (const name of ['WebSocket', 'EventSource', 'Worker', 'SharedWorker']) watch(window, name, 'request', first);
})();
