// The tiles: today's key figures, each with a line of the recent past and a badge that says how
// far the number can be trusted.
import {attribute, byId, el, number, put, reveal, svg} from './dom.js';
import {stateOf} from './explain.js';
import * as format from './format.js';

const kLineHeight = 30;

const money =
  (digits) =>
  ({value, currency}) => ({
    text: format.moneyTile(value, currency, digits),
    title: format.money(value, currency),
  });
const counted =
  (digits) =>
  ({value}) => ({text: format.countTile(value, digits), title: format.count(value)});

// One row for each tile: its name, its shape, and the small print beneath.
const kTiles = [
  {
    kpi: 'net_revenue',
    name: 'Net revenue',
    when: 'today',
    measure: 'revenue',
    hero: true,
    show: money(9),
    formula:
      'Sales less discounts, less the refunds of the same period: a refund counts when it happens.',
    notes: [
      ['gross', 'gross_revenue', money(7)],
      ['refunds', 'refunds', money(7)],
    ],
  },
  {
    kpi: 'orders',
    name: 'Orders',
    when: 'today',
    measure: 'orders',
    show: counted(6),
    formula: 'Different orders with a purchase. A later cancellation does not take the order back.',
    notes: [['units', 'units', counted(7)]],
  },
  {
    kpi: 'aov',
    name: 'Avg. order',
    when: 'today',
    measure: 'aov',
    show: money(5),
    formula: '(Gross − discounts) ÷ orders.',
    small: 'per order',
  },
  {
    kpi: 'average_rating',
    name: 'Avg. rating',
    when: 'today',
    measure: 'rating',
    show: ({value}) => ({
      text: value === null ? format.kNothing : format.fixed(String(value), 2),
      title: value === null ? null : String(value),
    }),
    formula: 'Sum of the stars ÷ number of ratings.',
    votes: true,
  },
  {
    kpi: 'active_visitors',
    name: 'Active visitors',
    when: 'now',
    measure: 'visitors',
    show: counted(6),
    formula:
      'Different visitors with an event in the five minutes before the data clock; an estimate.',
    small: 'last 5 minutes',
  },
  {
    kpi: 'transactions_per_second',
    name: 'Transactions',
    when: 'now',
    measure: 'pace',
    show: ({value}) => ({
      text: format.fixed(value === null ? null : Number(value), Number(value) < 100 ? 2 : 0),
    }),
    formula: 'Purchases in the last 60 seconds of event time ÷ 60.',
    small: 'per second',
  },
];

export class Tiles {
  // onExplain(shape) when somebody asks where a number comes from.
  constructor(onExplain) {
    this.tiles = kTiles.map((shape) => makeTile(shape, onExplain));
    byId('tiles').replaceChildren(...this.tiles.map(({node}) => node));
    byId('formulas').append(
      ...kTiles.map(({name, formula}) => el('div', {}, el('dt', {}, name), el('dd', {}, formula))),
    );
  }

  update(frame) {
    for (const tile of this.tiles) updateTile(tile, frame);
  }

  // Of the tile that has the focus, else the one under the pointer, else the first.
  get asked() {
    const node = document.activeElement?.closest('.tile') ?? document.querySelector('.tile:hover');
    return (this.tiles.find((tile) => tile.node === node) ?? this.tiles[0]).shape;
  }
}

function makeTile(shape, onExplain) {
  const value = el('p', {class: 'value'});
  const note = el('p', {class: 'note'});
  const parts = (shape.notes ?? []).map(([name]) => {
    const part = el('b');
    note.append(el('span', {}, `${name} `, part));
    return part;
  });
  const small = el('span', {}, shape.small ?? '');
  if (!shape.notes) note.append(small);
  const change = el('span', {class: 'change', hidden: ''});
  note.append(change);
  const badge = el('span', {class: 'badge'});
  const line = svg('path', {class: 'line'});
  const area = svg('path', {class: 'area'});
  const spark = svg(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 100 ${kLineHeight}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    area,
    line,
  );
  const why = el(
    'button',
    {
      class: 'why',
      type: 'button',
      popovertarget: 'explain',
      'aria-haspopup': 'dialog',
      title: `${shape.formula} Click to see where it comes from (E).`,
    },
    shape.name,
    ' ',
    el('span', {}, shape.when),
  );
  why.addEventListener('click', () => onExplain(shape));
  const node = el(
    'li',
    {class: shape.hero ? 'tile hero' : 'tile', 'data-measure': shape.measure},
    el(
      'div',
      {class: 'tile-head'},
      el('h3', {}, why),
      badge,
    ),
    value,
    note,
    spark,
  );
  return {shape, node, value, parts, small, change, badge, line, area};
}

function updateTile({shape, value, parts, small, change, badge, line, area}, frame) {
  const kpi = frame.kpis[shape.kpi];
  if (!kpi) return;
  const shown = shape.show(kpi);
  number(value, {frame: frame.frame, kpi: shape.kpi, value: kpi.value, ...shown});
  if (kpi.value === null && kpi.why_null) attribute(value, 'title', kpi.why_null);
  (shape.notes ?? []).forEach(([, name, show], i) => {
    const other = frame.kpis[name];
    if (other)
      number(parts[i], {frame: frame.frame, kpi: name, value: other.value, ...show(other)});
  });
  if (kpi.value === null && kpi.why_null && !shape.notes) put(small, kpi.why_null);
  else if (shape.votes) put(small, `${format.count(kpi.n)} ${kpi.n === 1 ? 'rating' : 'ratings'}`);
  else if (!shape.notes) put(small, shape.small);
  updateChange(change, kpi, shape, frame);
  updateBadge(badge, kpi);
  const {stroke, fill} = sparkPaths(kpi.value === null ? [] : (kpi.spark ?? []));
  attribute(line, 'd', stroke);
  attribute(area, 'd', fill);
}

// Against yesterday up to the same time, which the title names.
function updateChange(node, kpi, {show}, {zone, watermark_us: mark}) {
  const known = kpi.value !== null && kpi.previous !== undefined && mark !== null;
  reveal(node, known);
  if (!known) return;
  const [now, then] = [Number(kpi.value), Number(kpi.previous)];
  const share = then > 0 ? now / then - 1 : null;
  const sign = share === null || Math.abs(share) < 0.0005 ? '' : share > 0 ? '▲' : '▼';
  put(node, share === null ? 'new' : `${sign} ${format.percent(Math.abs(share))}`.trim());
  attribute(node, 'data-move', sign === '▲' ? 'up' : sign === '▼' ? 'down' : null);
  const {text, title} = show({...kpi, value: kpi.previous});
  attribute(
    node,
    'title',
    `${title ?? text} yesterday at ${format.minuteTime(mark, zone)}, the same time of the day`,
  );
}

function updateBadge(badge, kpi) {
  const estimated = typeof kpi.error === 'number' && kpi.error > 0;
  const state = kpi.state ?? 'final';
  put(badge, kpi.value === null ? '' : estimated ? `≈ ±${format.percent(kpi.error)}` : state);
  attribute(badge, 'data-state', estimated ? 'estimated' : state);
  attribute(badge, 'title', stateOf(kpi));
}

// Line and area in a box of 100 × kLineHeight; null is a gap.
export function sparkPaths(values) {
  const known = values.filter((value) => value !== null).map(Number);
  if (known.length < 2) return {stroke: '', fill: ''};
  const [low, high] = [Math.min(0, ...known), Math.max(...known)];
  const span = high - low || 1;
  const x = (i) => ((i * 100) / (values.length - 1)).toFixed(2);
  const y = (value) =>
    (kLineHeight - 2 - ((Number(value) - low) / span) * (kLineHeight - 5)).toFixed(2);
  let stroke = '';
  let fill = '';
  let start = null;
  const close = (end) => {
    if (start !== null) fill += `L${x(end)} ${kLineHeight}L${x(start)} ${kLineHeight}Z`;
    start = null;
  };
  values.forEach((value, i) => {
    if (value === null) return close(i - 1);
    const step = `${start === null ? 'M' : 'L'}${x(i)} ${y(value)}`;
    stroke += step;
    fill += step;
    start ??= i;
  });
  close(values.length - 1);
  return {stroke, fill};
}
