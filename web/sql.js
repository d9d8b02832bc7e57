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
    this.text.value = new URLSearchParams(location.search).get('q') ?? kept('sql') ?? kExamples[0][1];
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
    const table = el(
      'table',
      {class: 'grid'},
      el('thead', {}, el('tr', {}, ...columns.map((name, i) => head(name, rows[0]?.[i])))),
      el('tbody', {}, ...rows.map((row) => el('tr', {}, ...row.map(cell)))),
    );
    byId('rows').replaceChildren(table);
    reveal(byId('result'), true);
    say(`${found}${cut}.`);
  }
}

const kShort = 28; // longer texts may be broken anywhere

const styleOf = (value) =>
  typeof value === 'number' ? 'num' : String(value).length > kShort ? 'long' : null;

function head(name, first) {
  return el('th', {scope: 'col', class: styleOf(typeof first === 'number' ? first : name)}, visible(name));
}

function cell(value) {
  if (value === null) return el('td', {class: 'null'}, 'NULL');
  return el('td', {class: styleOf(value)}, visible(String(value)));
}

frame();
globalThis.retailpulse = Object.freeze({console: new Console()});
