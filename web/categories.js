// Revenue per category: bars from zero, greatest first, "(other)" last, so that the rows add up.
import {attribute, el, number, put, reconcile} from './dom.js';
import * as format from './format.js';
import {Panel} from './panel.js';

const kSpecial = {'(other)': 'Other', '(unknown)': 'Unknown'};

export class Categories {
  constructor(root) {
    this.panel = new Panel(root, {
      columns: [
        {name: 'Category'},
        {name: 'Net', numeric: true},
        {name: 'Share', numeric: true},
        {name: 'Orders', numeric: true},
        {name: 'Units', numeric: true},
      ],
      rows: (frame) => frame.categories.map((row) => this.row(row, frame)),
    });
  }

  row({name, net, share, orders, units}, {currency}) {
    const cell = (kpi, value, text) => ({kpi: `categories.${kpi}`, key: name, value, text});
    return {
      key: name,
      cells: [
        kSpecial[name] ?? name,
        cell('net', net, format.money(net, currency)),
        format.percent(share),
        cell('orders', orders, format.count(orders)),
        cell('units', units, format.count(units)),
      ],
    };
  }

  update(frame, empty) {
    const rows = frame.categories;
    this.panel.update(
      frame,
      empty ??
        (rows.length === 0 ? `No sales in ${frame.currency || 'any currency'} today yet.` : null),
    );
    if (rows.length === 0) return;
    const greatest = Math.max(...rows.map(({net}) => Math.abs(Number(net)))) || 1;
    reconcile(
      this.panel.chart,
      rows,
      ({name}) => name,
      make,
      (node, row) => update(node, row, greatest, frame),
    );
    const first = rows.find(({name}) => !kSpecial[name]) ?? rows[0];
    this.panel.summarise(
      `${format.quoted(kSpecial[first.name] ?? first.name)} leads with ` +
        `${format.money(first.net, frame.currency)}, ` +
        `${format.percent(first.share)} of today’s net revenue.`,
      frame.currency,
    );
  }
}

function make({name}) {
  return el(
    'li',
    {class: name.startsWith('(') ? 'special' : null},
    el('span', {class: 'name'}),
    el('span', {class: 'track', 'aria-hidden': 'true'}, el('i')),
    el('b'),
    el('span', {class: 'share'}),
  );
}

function update(node, {name, net, share}, greatest, {frame, currency}) {
  const [label, track, value, part] = node.children;
  put(label, kSpecial[name] ?? name);
  attribute(label, 'title', name);
  const width = `${((Math.abs(Number(net)) / greatest) * 100).toFixed(2)}%`;
  const bar = track.firstElementChild;
  if (bar.style.width !== width) bar.style.width = width;
  attribute(bar, 'data-negative', net.startsWith('-') ? '' : null);
  number(value, {
    frame,
    kpi: 'categories.net',
    key: name,
    value: net,
    text: format.moneyTile(net, currency, 6),
    title: format.money(net, currency),
  });
  put(part, format.percent(share));
}
