// Small tools for a page whose text comes from strangers: nodes are made by name, text is set as
// text, and nothing ever parses HTML. Existing nodes are kept, so that focus, selection and
// scrolling survive every frame.

const kSvg = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(kSvg, tag), attributes, children);
}

// Sets text only when it differs, in the text node that is there already.
export function put(node, text) {
  const first = node.firstChild;
  if (first?.nodeType === Node.TEXT_NODE) {
    if (first.data !== text) first.data = text;
  } else {
    node.prepend(document.createTextNode(text));
  }
}

export function attribute(node, name, value) {
  if (value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

export function reveal(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

// One number of one frame. `value` is exact as the server sent it; `text` is what people see.
export function number(node, {frame, kpi, key, value, text, title}) {
  put(node, text);
  attribute(node, 'data-frame', frame);
  attribute(node, 'data-kpi', kpi);
  attribute(node, 'data-key', key);
  attribute(node, 'data-value', value ?? '');
  attribute(node, 'title', title && title !== text ? title : null);
}

// Makes the children of `parent` stand for `items`, in order: nodes are found again by key, moved
// only when their place changed, made by make(item) and filled by update(node, item, index).
export function reconcile(parent, items, keyOf, make, update) {
  const known = (parent.nodesByKey ??= new Map());
  const wanted = new Set();
  let place = parent.firstElementChild;
  items.forEach((item, index) => {
    const key = keyOf(item, index);
    wanted.add(key);
    let node = known.get(key);
    if (!node) known.set(key, (node = make(item)));
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    update(node, item, index);
  });
  for (const [key, node] of known) {
    if (wanted.has(key)) continue;
    node.remove();
    known.delete(key);
  }
}

const kIcons = {
  live: 'M1 9h3.2l2-6 3.6 10 2-5.5 1 1.5H15',
  wait: 'M8 2a6 6 0 1 0 6 6M8 5v3.5l2.5 1.5',
  backfill: 'M8 2v9M4 7.5 8 11.5l4-4M3 14h10',
  pause: 'M5 3v10M11 3v10',
  play: 'M5 3v10l8-5z',
  stale: 'M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 8 2a6 6 0 0 1 6 6z',
  warn: 'M8 2 1.5 13.5h13zM8 6.5v3.2M8 11.6v.2',
  lock: 'M4 7h8v6.5H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  auto: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  dark: 'M13.5 9.5A6 6 0 1 1 6.5 2.5a5 5 0 0 0 7 7z',
};

export function icon(holder, name) {
  attribute(holder.querySelector('svg'), 'data-icon', name);
  attribute(holder.querySelector('svg path'), 'd', kIcons[name]);
}

// One polite voice for the whole page; the newest sentence wins.
let voiceTimer = 0;
export function say(text, delay = 0) {
  clearTimeout(voiceTimer);
  voiceTimer = setTimeout(() => put(byId('say'), text), delay);
}

export function kept(name) {
  try {
    return localStorage.getItem(`retailpulse.${name}`);
  } catch (refused) {
    return null; // storage switched off: taste lasts as long as the page
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`retailpulse.${name}`, value);
  } catch (refused) {
    return; // see kept()
  }
}
