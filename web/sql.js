// The SQL page: one statement, its rows. Everything in a result is a stranger's text.
import {attribute, byId, el, keep, kept, put, reveal, say} from './dom.js';
import {frame, post, visible} from './page_frame.js';

const kExamples = [
  ['Revenue by day', 'SELECT day, currency, net, orders, units, state\nFROM totals_by_day\nORDER BY day DESC'],
  [
    'Last hour by minute',
    'SELECT minute, currency, net, orders, state\nFROM totals_by_minute\nORDER BY minute DESC\nLIMIT 60',
  ],
  [
    'Best products today',
    'SELECT name, category, units, net, currency\nFROM products_by_day\nWHERE day = (SELECT max(day) FROM products_by_day)\nORDER BY net_micros DESC\nLIMIT 20',
  ],
  [
    'Categories, with shares',
    "SELECT category, currency, net,\n  round(100.0 * net_micros / sum(net_micros) OVER (PARTITION BY currency), 1) AS percent\nFROM categories_by_day\nWHERE day = (SELECT max(day) FROM categories_by_day)\nORDER BY currency, net_micros DESC",
  ],
  ['Where every record went', 'SELECT topic, bucket, reason, sum(records) AS records\nFROM ledger\nGROUP BY topic, bucket, reason\nORDER BY topic, records DESC'],
  ['Lag by partition', 'SELECT topic, partition, next_offset, end_offset, end_offset - next_offset AS lag, watermark\nFROM partitions\nORDER BY lag DESC'],
  ['Lowest rated products', 'SELECT day, name, ratings, mean\nFROM ratings_by_day\nWHERE ratings >= 3\nORDER BY mean\nLIMIT 20'],
];

class Console {
  constructor() {
    this.text = byId('query');
    this.button = byId('run');
    // After the #, so that it may have lines and stays out of logs.
    const linked = new URLSearchParams(location.hash.slice(1)).get('q');
    this.text.value = linked ?? kept('sql') ?? kExamples[0][1];
    this.button.addEventListener('click', () => this.run());
    this.text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.run();
    });
    byId('examples').append(
      ...kExamples.map(([name, statement]) => {
        const button = el('button', {class: 'button', type: 'button'}, name);
        button.addEventListener('click', () => {
          this.text.value = statement;
          this.run();
        });
        return el('li', {}, button);
      }),
    );
  }

  async run() {
    if (this.running) return;
    this.running = true;
    this.button.disabled = true;
    attribute(document.documentElement, 'data-sql', 'running');
    const query = this.text.value;
    keep('sql', query);
    try {
      this.show(await post('/api/v1/sql', {query}));
      attribute(document.documentElement, 'data-sql', 'done');
    } catch (error) {
      this.fail(error.message);
      attribute(document.documentElement, 'data-sql', 'failed');
    }
    this.button.disabled = false;
    this.running = false;
  }

  fail(sentence) {
    put(byId('fault'), visible(sentence));
    reveal(byId('fault'), true);
    reveal(byId('result'), false);
    say(sentence);
  }

  show({columns, rows, truncated, frame: commit, elapsed_ms: took}) {
    reveal(byId('fault'), false);
    const found = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
    const cut = truncated ? ', cut here: there are more than this page takes' : '';
    put(byId('result-sub'), `${found}${cut} · ${Math.round(took)} ms · frame ${commit}`);
    attribute(byId('result-sub'), 'data-cut', truncated ? '' : null);
    const numeric = columns.map((name, i) => isNumeric(rows.map((row) => row[i])));
    const heads = columns.map((name, i) =>
      el('th', {scope: 'col', class: styleOf(name, numeric[i])}, visible(name)),
    );
    const table = el(
      'table',
      {class: 'grid'},
      el('thead', {}, el('tr', {}, ...heads)),
      el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map((value, i) => cell(value, numeric[i]))))),
    );
    byId('rows').replaceChildren(table);
    reveal(byId('result'), true);
    say(`${found}${cut}.`);
  }
}

const kShort = 28; // longer texts may be broken anywhere

// Money and units come as exact text; a column of nothing but numbers stands to the right.
const kDecimal = /^-?\d+(\.\d+)?$/;

function isNumeric(values) {
  const given = values.filter((value) => value !== null);
  return (
    given.every((value) => typeof value === 'number' || kDecimal.test(value)) &&
    given.some((value) => typeof value === 'number' || value.includes('.'))
  );
}

const styleOf = (value, numeric) =>
  numeric ? 'num' : String(value).length > kShort ? 'long' : null;

function cell(value, numeric) {
  if (value === null) return el('td', {class: numeric ? 'null num' : 'null'}, 'NULL');
  return el('td', {class: styleOf(value, numeric)}, visible(String(value)));
}

frame();
globalThis.retailpulse = Object.freeze({console: new Console()});
