// Panel: what all charts share. A figure with a name, a summary sentence (refreshed at most each
// ten seconds, so that readers are not interrupted), a table with the same numbers in place of the
// drawing (button "Table" or key V), and a place for "there is nothing, because …".
import {attribute, el, number, put, reconcile, reveal} from './dom.js';
import {clockTime} from './format.js';

const kSummaryMs = 10000;

export class Panel {
  // rows(frame) -> [{key, cells: [text | {value, text, kpi, key, title}]}], the chart's numbers.
  constructor(root, {columns = [], rows = null} = {}) {
    this.root = root;
    this.chart = root.querySelector('.chart');
    this.twin = root.querySelector('.twin');
    this.button = root.querySelector('[data-table]');
    this.caption = root.querySelector('figcaption');
    this.nothing = root.querySelector('.empty');
    this.columns = columns;
    this.rows = rows;
    this.frame = null;
    this.tabular = false;
    this.summarised = {at: 0, about: ''};
    this.button?.addEventListener('click', () => this.toggle());
  }

  toggle() {
    if (!this.twin) return;
    this.tabular = !this.tabular;
    attribute(this.button, 'aria-pressed', this.tabular);
    put(this.button, this.tabular ? 'Chart' : 'Table');
    if (this.tabular && !this.body) this.makeTable();
    this.fillTable();
    this.reflect();
  }

  // Called with each frame; `empty` is the reason to show instead of a chart, or null.
  update(frame, empty) {
    this.frame = frame;
    this.empty = empty;
    if (empty) put(this.nothing, empty);
    this.reflect();
    this.fillTable();
  }

  reflect() {
    const empty = Boolean(this.empty);
    reveal(this.nothing, empty);
    reveal(this.chart, !empty && !this.tabular);
    if (this.twin) reveal(this.twin, !empty && this.tabular);
  }

  makeTable() {
    const head = el(
      'tr',
      {},
      ...this.columns.map(({name, numeric}) =>
        el('th', {scope: 'col', class: numeric ? 'num' : null}, name),
      ),
    );
    this.body = el('tbody');
    this.twin.append(el('table', {}, el('thead', {}, head), this.body));
  }

  fillTable() {
    if (!this.tabular || !this.frame || this.empty) return;
    const {frame} = this.frame;
    reconcile(
      this.body,
      this.rows(this.frame),
      (row) => row.key,
      () =>
        el(
          'tr',
          {},
          ...this.columns.map(({numeric}, i) =>
            i === 0 ? el('th', {scope: 'row'}) : el('td', {class: numeric ? 'num' : null}),
          ),
        ),
      (tr, row) =>
        row.cells.forEach((cell, i) => {
          if (typeof cell === 'string') put(tr.cells[i], cell);
          else number(tr.cells[i], {frame, ...cell});
        }),
    );
  }

  // The sentence says its moment. `about` names what it is about; when that changes, the sentence
  // is renewed at once.
  summarise(text, about = '') {
    const now = performance.now();
    if (
      this.summarised.about === about &&
      now - this.summarised.at < kSummaryMs &&
      this.caption.firstChild
    )
      return;
    this.summarised = {at: now, about};
    const {frame, watermark_us: mark, wall_us: wall, zone} = this.frame;
    put(this.caption, `${clockTime(mark ?? wall, zone)}: ${text}`);
    attribute(this.caption, 'data-frame', frame);
  }
}
