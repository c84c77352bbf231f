// Runs in the page, in a world of its own: waits until the page is ready, stops what moves, and says what it sees.
const limits = {texts: ask.bare ? 0 : 20000, elements: ask.bare ? 0 : 20000, blocked: ask.bare ? 0 : 200, text: 20000};
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const images = Array.from(document.images).filter((image) => image.loading !== 'lazy' || image.complete);
const ready = [document.fonts.ready, ...images.map((image) => image.decode().catch(() => null))];
await Promise.race([Promise.all(ready), later(waitMs)]);

function all(selector) {
  try {
    return Array.from(document.querySelectorAll(selector));
  } catch (error) {
    throw new Error("'" + selector + "' is not a CSS selector");
  }
}
if (ask.waitFor) {
  // The job's own time limit ends this.
  while (!all(ask.waitFor).some((element) => element.getClientRects().length > 0)) await later(20);
}
if (ask.settleMs > 0) await later(ask.settleMs);

function stopAnimations() {
  for (const animation of document.getAnimations()) {
    try {
      const end = animation.effect ? animation.effect.getComputedTiming().endTime : Infinity;
      if (end === Infinity) animation.cancel();
      else animation.finish();
    } catch (error) {
      animation.cancel();
    }
  }
  for (const svg of document.querySelectorAll('svg')) {
    if (svg.pauseAnimations) {
      svg.pauseAnimations();
      svg.setCurrentTime(0);
    }
  }
  for (const marquee of document.querySelectorAll('marquee')) {
    if (marquee.stop) marquee.stop();
  }
}
stopAnimations();

const root = document.documentElement;
const body = document.body;
const scrollX = window.scrollX;
const scrollY = window.scrollY;
const round = (value) => Math.round(value * 1000) / 1000;

// "rgb(1, 2, 3)" or "rgba(1, 2, 3, 0.5)" as 0xRRGGBBAA.
function colour(text) {
  const parts = (text || '').match(/[\d.]+/g);
  if (!parts || parts.length < 3) return 0;
  const scale = text.startsWith('color(') ? 255 : 1;
  const [r, g, b] = parts.slice(0, 3).map((part) => Math.min(255, Math.round(Number(part) * scale)));
  const a = parts.length > 3 ? Math.round(Number(parts[3]) * 255) : 255;
  return ((r << 24) | (g << 16) | (b << 8) | a) >>> 0;
}

function box(rect) {
  return [round(rect.left + scrollX), round(rect.top + scrollY), round(rect.width), round(rect.height)];
}

const elements = [];
const numbers = new Map();
const paths = new Map();

// The shortest chain of child steps that finds just this element; an id that occurs once starts it.
function pathOf(element) {
  if (paths.has(element)) return paths.get(element);
  let path;
  const id = element.id;
  if (element === root) path = 'html';
  else if (element === body) path = 'body';
  else if (id && document.querySelectorAll('#' + CSS.escape(id)).length === 1) path = '#' + CSS.escape(id);
  else {
    const parent = element.parentElement;
    const tag = CSS.escape(element.localName);
    let same = 0;
    let place = 0;
    for (const child of parent ? parent.children : []) {
      if (child.localName === element.localName) {
        same += 1;
        if (child === element) place = same;
      }
    }
    path = (parent ? pathOf(parent) + ' > ' : '') + tag + (same > 1 ? ':nth-of-type(' + place + ')' : '');
  }
  paths.set(element, path);
  return path;
}

const styles = new Map();
function styleOf(element) {
  let style = styles.get(element);
  if (!style) {
    const computed = getComputedStyle(element);
    style = {
      f: computed.fontFamily, s: parseFloat(computed.fontSize) || 0, l: parseFloat(computed.lineHeight) || 0,
      w: Number(computed.fontWeight) || 400, i: computed.fontStyle !== 'normal', c: colour(computed.color),
      b: colour(computed.backgroundColor), v: computed.visibility === 'visible', t: computed.textTransform,
      p: computed.whiteSpace.startsWith('pre'),
    };
    styles.set(element, style);
  }
  return style;
}

for (const element of root.getElementsByTagName('*')) {
  if (elements.length >= limits.elements) break;
  if (element === root || !body || (!body.contains(element) && element !== body)) continue;
  const rects = element.getClientRects();
  if (rects.length === 0) continue;
  const mark = element.getAttribute('data-glmv');
  numbers.set(element, elements.length + 1);
  const parent = element === body ? 0 : numbers.get(element.parentElement);
  elements.push({
    t: element.localName, p: pathOf(element), i: element.id || null, k: element.getAttribute('class'),
    m: mark !== null && /^\d{1,9}$/.test(mark) ? Number(mark) : -1, u: parent === undefined ? 0 : parent,
    r: box(element.getBoundingClientRect()), b: styleOf(element).b,
  });
}
elements.unshift({t: 'html', p: 'html', i: root.id || null, k: root.getAttribute('class'), m: -1, u: -1,
                  r: box(root.getBoundingClientRect()), b: styleOf(root).b});
numbers.set(root, 0);

const texts = [];
function transformed(text, how) {
  if (how === 'uppercase') return text.toUpperCase();
  if (how === 'lowercase') return text.toLowerCase();
  if (how === 'capitalize') return text.replace(/(^|\s)(\S)/g, (all, gap, letter) => gap + letter.toUpperCase());
  return text;
}

function pushText(text, rect, element, style, rgba) {
  const clean = transformed(text.replace(/[\s\u200b]+/g, ' ').trim(), style.t).slice(0, limits.text);
  if (!clean || rect.width <= 0 || rect.height <= 0 || texts.length >= limits.texts) return;
  texts.push({t: clean, r: box(rect), f: style.f, s: style.s, l: style.l, w: style.w, i: style.i, c: rgba,
              e: numbers.has(element) ? numbers.get(element) : 0});
}

function joined(a, b) {
  const left = Math.min(a.left, b.left);
  const top = Math.min(a.top, b.top);
  return {left, top, width: Math.max(a.left + a.width, b.left + b.width) - left,
          height: Math.max(a.top + a.height, b.top + b.height) - top};
}

const range = document.createRange();
// The pieces of a text node that lie on one line each: words, or letters where a word is broken.
function* pieces(node) {
  const data = node.data;
  const words = /\S+/g;
  for (let word = words.exec(data); word; word = words.exec(data)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    const rects = Array.from(range.getClientRects()).filter((rect) => rect.width > 0);
    if (rects.length <= 1) {
      if (rects.length === 1) yield [word[0], rects[0], true];
      continue;
    }
    let first = true;
    for (let i = 0; i < word[0].length;) {
      const step = word[0].codePointAt(i) > 0xffff ? 2 : 1;
      range.setStart(node, word.index + i);
      range.setEnd(node, word.index + i + step);
      const rect = range.getBoundingClientRect();
      if (rect.width > 0) yield [word[0].slice(i, i + step), rect, first];
      first = false;
      i += step;
    }
  }
}

if (body) {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && texts.length < limits.texts; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!element || !node.data.trim() || /^(script|style|noscript|template|textarea|option)$/.test(element.localName)) continue;
    const style = styleOf(element);
    if (!style.v) continue;
    let line = null;
    for (const [text, rect, gap] of pieces(node)) {
      const same = line && Math.abs(rect.top - line.top) < rect.height / 2 && rect.left > line.last - 1;
      if (same) {
        line.text += (gap ? ' ' : '') + text;
        line.rect = joined(line.rect, rect);
        line.last = rect.left;
      } else {
        if (line) pushText(line.text, line.rect, element, style, style.c);
        line = {text, rect, top: rect.top, last: rect.left};
      }
    }
    if (line) pushText(line.text, line.rect, element, style, style.c);
  }
  for (const field of body.querySelectorAll('input, textarea, select')) {
    const style = styleOf(field);
    if (!style.v || /^(hidden|checkbox|radio|range|color|file|image)$/.test(field.type || '')) continue;
    const select = field.localName === 'select';
    const value = select ? (field.selectedOptions[0] || {}).label : field.value;
    const text = value || field.placeholder || '';
    const computed = getComputedStyle(field);
    const outer = field.getBoundingClientRect();
    const inset = (side) => (parseFloat(computed['padding' + side]) || 0) + (parseFloat(computed['border' + side + 'Width']) || 0);
    const rect = {left: outer.left + inset('Left'), top: outer.top + inset('Top'),
                  width: outer.width - inset('Left') - inset('Right'), height: outer.height - inset('Top') - inset('Bottom')};
    pushText(text, rect, field, style, value ? style.c : colour(getComputedStyle(field, '::placeholder').color));
  }
}

const blocked = new Set();
function note(address) {
  if (blocked.size >= limits.blocked || !address) return;
  try {
    const url = new URL(address, document.baseURI);
    if (url.protocol === 'page:' && url.host !== location.host) {
      blocked.add(url.href.slice('page:'.length, 500)); // it began with "//": the scheme is that of the document
    } else if (!/^(data|about|page|blob|javascript|mailto|tel):$/.test(url.protocol)) blocked.add(url.href.slice(0, 500));
  } catch (error) {
    // Not an address; the browser asks for nothing either.
  }
}
for (const [selector, attribute] of [['[src]', 'src'], ['link[href]', 'href'], ['[poster]', 'poster'],
                                     ['object[data]', 'data'], ['[background]', 'background'],
                                     ['image, use, feImage', 'href']]) {
  for (const element of document.querySelectorAll(selector)) note(element.getAttribute(attribute));
}
for (const element of document.querySelectorAll('[srcset]')) {
  for (const part of element.getAttribute('srcset').slice(0, 10000).split(',')) note(part.trim().split(/\s+/)[0]);
}
for (const text of Array.from(document.querySelectorAll('style'), (style) => style.textContent)
       .concat(Array.from(document.querySelectorAll('[style]'), (element) => element.getAttribute('style')))) {
  const addresses = /(?:@import\s+(?:url\(\s*)?|url\(\s*)["']?([^"')\s]+)/gi;
  for (let hit = addresses.exec(text); hit && blocked.size < limits.blocked; hit = addresses.exec(text)) note(hit[1]);
}

const seen = window.glmvSeen || {console: [], requests: []};
for (const address of seen.requests) note(address);

stopAnimations();
const found = ask.find.map((selector) => all(selector).slice(0, 1000).map((element) => box(element.getBoundingClientRect())));
return JSON.stringify({
  width: Math.max(root.scrollWidth, body ? body.scrollWidth : 0),
  height: Math.max(root.scrollHeight, Math.ceil(root.getBoundingClientRect().height)),
  texts, elements, blocked: Array.from(blocked), console: seen.console, found,
});
