// The ledger: every record read is in exactly one bucket, and the page checks the sum itself.
import {attribute, byId, el, number, put} from './dom.js';
import * as format from './format.js';
import {kBuckets, ledgerSum} from './frame.js';

const kWords = {
  consumed: 'read from Kafka',
  counted: 'in the numbers above',
  filtered: 'left out by a rule of the mapping',
  rejected: 'could not be understood; kept with reason and raw bytes under /api/v1/rejects',
  duplicate: 'seen before under the same identity',
  superseded: 'an older revision of something known newer',
  too_late: 'its time slice has been pruned already',
  late: 'counted although its slice was final: the slice was revised',
  future: 'counted, but dated further ahead than allowed; never moves the data clock',
};

export class Ledger {
  constructor() {
    this.numbers = new Map();
    const equation = byId('ledger-equation');
    ['consumed', ...kBuckets].forEach((name, i) => {
      const value = el('b');
      this.numbers.set(name, value);
      const sign = i === 0 ? [] : [el('span', {class: 'sign'}, i === 1 ? '=' : '+')];
      equation.append(
        el(
          'span',
          {class: 'addend'},
          ...sign,
          el('span', {class: 'term'}, value, el('span', {}, name.replace('_', ' '))),
        ),
      );
    });
    this.parts = new Map();
    byId('ledger-words').append(
      ...Object.entries(kWords).map(([name, words]) => {
        const value = el('b');
        this.parts.set(name, value);
        return el('div', {}, el('dt', {}, name.replace('_', ' '), ' ', value), el('dd', {}, words));
      }),
    );
  }

  update({frame, ledger}) {
    for (const [name, node] of this.numbers) {
      const value = ledger[name] ?? 0;
      number(node, {frame, kpi: `ledger.${name}`, value, text: format.count(value)});
      attribute(node.parentElement, 'data-zero', value === 0 ? '' : null);
    }
    for (const [name, node] of this.parts) {
      const value = ledger[name] ?? 0;
      const share = ledger.consumed ? ` · ${format.percent(value / ledger.consumed, 2)}` : '';
      number(node, {frame, kpi: `ledger.${name}`, value, text: format.count(value) + share});
    }
    const off = ledger.consumed - ledgerSum(ledger);
    const verdict = byId('ledger-verdict');
    put(verdict, off === 0 ? '✓ balanced' : `✗ off by ${format.count(off)}`);
    attribute(verdict, 'data-tone', off === 0 ? 'good' : 'bad');
  }
}
