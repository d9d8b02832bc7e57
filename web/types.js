// Event distribution: a ring of at most six kinds and "Other", and beneath it a row for each, in the
// same order, so that colour is never the only key. A kind keeps its colour for life: slots are given
// in the order in which kinds are first seen, and kept.
import {attribute, el, keep, kept, number, put, reconcile, svg} from './dom.js';
import * as format from './format.js';
import {Panel} from './panel.js';

const kSlices = 6;
const kColours = 8;
const kKept = 64; // kinds whose colour is remembered
const kBox = {size: 200, x: 100, y: 100, outer: 98, inner: 67};

export class Types {
  constructor(root) {
    this.panel = new Panel(root, {
      columns: [{name: 'Event'}, {name: 'Events', numeric: true}, {name: 'Share', numeric: true}],
      rows: (frame) =>
        frame.types.map(({name, events, share}) => ({
          key: name,
          cells: [
            name,
            {kpi: 'types.events', key: name, value: events, text: format.count(events)},
            format.percent(share),
          ],
        })),
    });
    this.colours = new Map();
    try {
      this.colours = new Map(Object.entries(JSON.parse(kept('colours') ?? '{}')));
    } catch (damaged) {
      keep('colours', '{}');
    }
    this.make();
  }

  make() {
    this.total = svg('text', {class: 'ring-total', x: kBox.x, y: kBox.y + 4});
    this.slices = Array.from({length: kSlices + 1}, () => {
      const [title, arc] = [svg('title'), svg('path', {class: 'arc'})];
      return {title, arc, group: svg('g', {}, title, arc)};
    });
    this.kinds = el('ol', {class: 'kinds'});
    this.panel.chart.append(
      svg(
        'svg',
        {
          viewBox: `0 0 ${kBox.size} ${kBox.size}`,
          role: 'img',
          'aria-labelledby': 'types-title types-summary',
        },
        ...this.slices.map(({group}) => group),
        this.total,
        svg('text', {class: 'ring-unit', x: kBox.x, y: kBox.y + 22}, 'events'),
      ),
      this.kinds,
    );
  }

  update(frame, empty) {
    const {types} = frame;
    this.panel.update(frame, empty ?? (types.length === 0 ? 'No events today yet.' : null));
    if (types.length === 0) return;
    const total = types.reduce((sum, {events}) => sum + events, 0);
    number(this.total, {
      frame: frame.frame,
      kpi: 'types.total',
      value: total,
      text: format.countTile(total, 6),
    });
    const shown = slicesOf(types, total);
    this.colour(shown);
    this.slices.forEach((slice, i) => paintArc(slice, shown[i]));
    reconcile(
      this.kinds,
      shown,
      ({name, other}) => (other ? 'other' : `kind ${name}`),
      makeKind,
      (node, slice) => updateKind(node, slice, frame.frame),
    );
    const [first] = types;
    this.panel.summarise(
      `${format.quoted(first.name)} is the most frequent of ${types.length} kinds: ` +
        `${format.percent(first.events / total)} of ${format.count(total)} events.`,
    );
  }

  // Each kind's slot is kept between visits; of two on show with the same slot, the smaller one
  // borrows a free one.
  colour(shown) {
    const taken = new Set();
    for (const slice of shown) {
      if (slice.other) {
        slice.slot = 'other';
        continue;
      }
      slice.slot = this.colours.get(slice.name) ?? this.newColour(slice.name);
      while (taken.has(slice.slot)) slice.slot = (slice.slot + 1) % kColours;
      taken.add(slice.slot);
    }
  }

  newColour(name) {
    const slot = this.colours.size % kColours;
    if (this.colours.size < kKept) {
      this.colours.set(name, slot);
      keep('colours', JSON.stringify(Object.fromEntries(this.colours)));
    }
    return slot;
  }
}

function paintArc({group, title, arc}, slice) {
  attribute(group, 'visibility', slice ? null : 'hidden');
  if (!slice) return;
  attribute(group, 'data-slot', slice.slot);
  attribute(arc, 'd', ring(slice.from, slice.to));
  put(title, `${slice.name}: ${format.count(slice.events)}`);
}

function makeKind() {
  return el(
    'li',
    {},
    el('span', {class: 'swatch', 'aria-hidden': 'true'}),
    el('span', {class: 'name'}),
    el('b'),
    el('span', {class: 'share'}),
  );
}

function updateKind(node, {name, events, total, slot, other}, frame) {
  const [, label, value, share] = node.children;
  attribute(node, 'data-slot', slot);
  put(label, name);
  attribute(label, 'title', name);
  number(value, {
    frame,
    kpi: other ? 'types.other' : 'types.events',
    key: name,
    value: events,
    text: format.countTile(events, 7),
    title: format.count(events),
  });
  put(share, format.percent(events / total));
}

function slicesOf(types, total) {
  const rest = types.slice(kSlices);
  const slices = types.slice(0, kSlices).map(({name, events}) => ({name, events, total}));
  if (rest.length > 0) {
    slices.push({
      name: `Other (${rest.length})`,
      other: true,
      total,
      events: rest.reduce((sum, {events}) => sum + events, 0),
    });
  }
  let angle = 0; // from twelve o'clock on, as the rows go down
  for (const slice of slices) {
    slice.from = angle;
    angle += (slice.events / (total || 1)) * 2 * Math.PI;
    slice.to = angle;
  }
  return slices;
}

const at = (angle, radius) => [
  kBox.x + Math.sin(angle) * radius,
  kBox.y - Math.cos(angle) * radius,
];
const point = (angle, radius) =>
  at(angle, radius)
    .map((n) => n.toFixed(1))
    .join(' ');

function ring(from, to) {
  const {outer, inner} = kBox;
  if (to - from > 2 * Math.PI - 0.001)
    return ring(0, Math.PI) + ring(Math.PI, 2 * Math.PI - 0.0011);
  const large = to - from > Math.PI ? 1 : 0;
  return (
    `M${point(from, outer)}A${outer} ${outer} 0 ${large} 1 ${point(to, outer)}` +
    `L${point(to, inner)}A${inner} ${inner} 0 ${large} 0 ${point(from, inner)}Z`
  );
}
