// Top-selling products: ten rows by revenue or units, how ranks moved, and the rest in one row, so
// that the column adds up to the total.
import {attribute, el, number, put, reconcile} from './dom.js';
import * as format from './format.js';
import {Panel} from './panel.js';

const kRows = 10;
const kSampleMs = 30000;
const kSamples = 10; // so ranks are compared with about five minutes ago

export class Products {
  constructor(root) {
    this.panel = new Panel(root);
    [this.body] = root.querySelectorAll('tbody');
    this.foot = root.querySelector('tfoot');
    this.rest = el(
      'tr',
      {},
      el('td'),
      el('th', {scope: 'row'}),
      el('td', {class: 'num'}),
      el('td', {class: 'num'}, el('b')),
    );
    this.foot.append(this.rest);
    this.by = 'by_revenue';
    this.history = {by_revenue: [], by_units: []}; // [{at, wall_us, ranks}]
    root.querySelectorAll('input[name=rank]').forEach((input) =>
      input.addEventListener('change', () => {
        this.by = input.value;
        this.panel.summarised.about = '';
        if (this.frame) this.update(this.frame, this.panel.empty);
      }),
    );
  }

  update(frame, empty) {
    if (
      this.frame &&
      (this.frame.currency !== frame.currency ||
        this.frame.boot !== frame.boot ||
        this.frame.today !== frame.today)
    ) {
      this.history = {by_revenue: [], by_units: []};
    }
    this.frame = frame;
    for (const by of Object.keys(this.history)) this.remember(by, frame);
    const rows = frame.top_products[this.by].slice(0, kRows);
    this.panel.update(frame, empty ?? (rows.length === 0 ? 'Nothing sold today yet.' : null));
    if (rows.length === 0) return;
    const greatest = Math.max(...rows.map((row) => Number(this.measure(row)))) || 1;
    const old = this.history[this.by][0];
    reconcile(
      this.body,
      rows,
      ({id}) => id,
      makeRow,
      (node, row, i) =>
        updateRow(node, row, {
          frame,
          rank: i + 1,
          was: old.ranks.get(row.id),
          share: Number(this.measure(row)) / greatest,
        }),
    );
    this.updateRest(frame);
    put(
      document.getElementById('products-sub'),
      `today · ranks against ${format.minuteTime(old.wall_us, frame.zone)}`,
    );
    const [first] = rows;
    this.panel.summarise(
      `${format.quoted(first.name || first.id)} sells best by ` +
        `${this.by === 'by_units' ? 'units' : 'net revenue'}: ` +
        `${format.count(first.units)} units, ${format.money(first.net, frame.currency)}.`,
      this.by + frame.currency,
    );
  }

  measure(row) {
    return this.by === 'by_units' ? row.units : row.net;
  }

  remember(by, frame) {
    const samples = this.history[by];
    const now = Date.now();
    if (samples.length > 0 && now - samples.at(-1).at < kSampleMs) return;
    const ranks = new Map(frame.top_products[by].map(({id}, i) => [id, i + 1]));
    if (ranks.size > 0) samples.push({at: now, wall_us: frame.wall_us, ranks});
    if (samples.length > kSamples) samples.shift();
  }

  // "other" stands beside the ranking by revenue; beside the one by units it is what totals leave.
  updateRest(frame) {
    const {by_revenue: revenue, by_units: units, other} = frame.top_products;
    const rest = {...other};
    if (this.by === 'by_units') {
      for (const column of ['net', 'units']) {
        const total = format.addDecimals(
          revenue.map((row) => row[column]),
          1n,
          other[column],
        );
        rest[column] = format.addDecimals(
          units.map((row) => row[column]),
          -1n,
          total,
        );
      }
    }
    const [, name, pieces, net] = this.rest.children;
    put(name, `${format.count(other.products)} other products`);
    number(pieces, {
      frame: frame.frame,
      kpi: `other.units.${this.by}`,
      value: rest.units,
      text: format.countTile(rest.units, 6),
      title: format.count(rest.units),
    });
    number(net.firstElementChild, {
      frame: frame.frame,
      kpi: `other.net.${this.by}`,
      value: rest.net,
      text: format.moneyTile(rest.net, frame.currency, 6),
      title: format.money(rest.net, frame.currency),
    });
  }
}

function makeRow() {
  return el(
    'tr',
    {},
    el('td', {class: 'rank'}, el('span', {class: 'place'}), el('span', {class: 'move'})),
    el('th', {scope: 'row'}, el('span', {class: 'name'}), el('span', {class: 'kind'})),
    el('td', {class: 'num'}),
    el('td', {class: 'num'}, el('b'), el('span', {class: 'track', 'aria-hidden': 'true'}, el('i'))),
  );
}

function updateRow(node, row, {frame, rank, was, share}) {
  const [place, product, units, net] = node.children;
  put(place.firstElementChild, String(rank));
  updateMove(place.lastElementChild, rank, was);
  put(product.firstElementChild, row.name || row.id);
  attribute(product.firstElementChild, 'title', `${row.name || ''} (${row.id})`.trim());
  put(product.lastElementChild, row.category || '');
  number(units, {
    frame: frame.frame,
    kpi: 'top_products.units',
    key: row.id,
    value: row.units,
    text: format.countTile(row.units, 6),
    title: format.count(row.units),
  });
  const [amount, track] = net.children;
  number(amount, {
    frame: frame.frame,
    kpi: 'top_products.net',
    key: row.id,
    value: row.net,
    text: format.moneyTile(row.net, frame.currency, 6),
    title: format.money(row.net, frame.currency),
  });
  const width = `${(Math.max(0, share) * 100).toFixed(2)}%`;
  if (track.firstElementChild.style.width !== width) track.firstElementChild.style.width = width;
}

function updateMove(node, rank, was) {
  const by = was === undefined ? null : was - rank;
  put(node, by === null ? 'new' : by === 0 ? '' : `${by > 0 ? '▲' : '▼'}${Math.abs(by)}`);
  attribute(node, 'data-move', by === null ? 'new' : by === 0 ? null : by > 0 ? 'up' : 'down');
  attribute(node, 'title', by === null ? 'was not among the first ten' : by ? `was ${was}` : null);
}
