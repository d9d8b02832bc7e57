// Event distribution: a ring of at most six kinds and "Other", labelled at the marks. A kind keeps
// its colour for life: slots are given in the order in which kinds are first seen, and kept.
import {attribute, el, keep, kept, number, put, svg} from './dom.js';
import * as format from './format.js';
import {Panel} from './panel.js';

const kSlices = 6;
const kColours = 8;
const kKept = 64; // kinds whose colour is remembered
const kBox = {width: 380, height: 336, x: 190, y: 166, outer: 94, inner: 63};
const kLabelGap = 38;
const kNameLength = 15;

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
    this.total = svg('text', {class: 'ring-total', x: kBox.x, y: kBox.y + 2});
    this.slices = Array.from({length: kSlices + 1}, () => {
      const slice = {
        arc: svg('path', {class: 'arc'}),
        lead: svg('path', {class: 'lead'}),
        name: svg('text', {class: 'ring-name'}),
        share: svg('text', {class: 'ring-share'}),
      };
      slice.title = svg('title');
      slice.group = svg('g', {}, slice.title, slice.arc, slice.lead, slice.name, slice.share);
      return slice;
    });
    this.panel.chart.append(
      svg(
        'svg',
        {
          viewBox: `0 0 ${kBox.width} ${kBox.height}`,
          role: 'img',
          'aria-labelledby': 'types-title types-summary',
        },
        ...this.slices.map(({group}) => group),
        this.total,
        svg('text', {class: 'ring-unit', x: kBox.x, y: kBox.y + 22}, 'events'),
      ),
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
    const labels = placeLabels(shown);
    this.colour(shown);
    this.slices.forEach((slice, i) => this.paint(slice, shown[i], labels[i], frame.frame));
    const [first] = types;
    this.panel.summarise(
      `${format.quoted(first.name)} is the most frequent of ${types.length} kinds: ` +
        `${format.percent(first.events / total)} of ${format.count(total)} events.`,
    );
  }

  paint({group, title, arc, lead, name, share}, slice, label, frame) {
    attribute(group, 'visibility', slice ? null : 'hidden');
    if (!slice) return;
    attribute(group, 'data-slot', slice.slot);
    attribute(arc, 'd', ring(slice.from, slice.to));
    attribute(lead, 'd', label.lead);
    for (const [node, y] of [
      [name, label.y - 3],
      [share, label.y + 13],
    ]) {
      attribute(node, 'x', label.x);
      attribute(node, 'y', y);
      attribute(node, 'text-anchor', label.anchor);
    }
    put(
      name,
      slice.name.length > kNameLength ? `${slice.name.slice(0, kNameLength - 1)}…` : slice.name,
    );
    number(share, {
      frame,
      kpi: slice.other ? 'types.other' : 'types.events',
      key: slice.name,
      value: slice.events,
      text: format.percent(slice.events / slice.total),
    });
    put(title, `${slice.name}: ${format.count(slice.events)}`);
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
  let angle = Math.PI * (1 - slices[0].events / (total || 1)); // the greatest hangs at the bottom
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

// One label beside each slice, pushed apart on its side so that none covers another; the first
// slice has its label below the ring.
function placeLabels(slices) {
  const labels = slices.map(({from, to}) => {
    const middle = (from + to) / 2;
    return {middle, y: at(middle, kBox.outer + 22)[1], right: Math.sin(middle) >= 0};
  });
  for (const right of [true, false])
    spread(labels.slice(1).filter((label) => label.right === right));
  const [first, ...others] = labels;
  const below = kBox.y + kBox.outer;
  Object.assign(first, {
    x: kBox.x,
    y: below + 34,
    anchor: 'middle',
    lead: `M${kBox.x} ${below + 4}V${below + 17}`,
  });
  for (const label of others) {
    const edge = kBox.x + (label.right ? 1 : -1) * (kBox.outer + 14);
    label.x = edge + (label.right ? 4 : -4);
    label.anchor = label.right ? 'start' : 'end';
    label.y = Number(label.y.toFixed(1));
    const [near, far] = [3, 9].map((gap) => point(label.middle, kBox.outer + gap));
    label.lead = `M${near}L${far}L${edge} ${label.y}`;
  }
  return labels;
}

function spread(side) {
  side.sort((a, b) => a.y - b.y);
  side.forEach((label, i) => {
    if (i > 0) label.y = Math.max(label.y, side[i - 1].y + kLabelGap);
  });
  let floor = kBox.height - 24;
  for (const label of side.reverse()) {
    label.y = Math.max(16, Math.min(label.y, floor));
    floor = label.y - kLabelGap;
  }
}
