// Explain: where the number of a tile comes from: its formula with the values put in, its window, how
// far it can be trusted, and the statement that gives the same number from the store.
import {attribute, byId, put, reveal} from './dom.js';
import * as format from './format.js';

const kTenSecondsUs = 1e7;

const text = (value) => `'${String(value).replaceAll("'", "''")}'`;
const ofToday = (what, from, {today, currency}) =>
  `SELECT ${what}\nFROM ${from}\nWHERE day = ${text(today)}` +
  (currency === undefined ? '' : ` AND currency = ${text(currency)}`);
const amount = ({kpis, currency}, name) => format.money(kpis[name]?.value, currency);

// Of each KPI: the formula with its values, the window, the statement.
const kSources = {
  net_revenue: {
    inputs: (frame) => `${amount(frame, 'gross_revenue')} gross − ${amount(frame, 'refunds')} refunds`,
    statement: (frame) => ofToday('net, gross, refunds', 'totals_by_day', frame),
  },
  orders: {
    inputs: ({kpis}) => `${format.count(kpis.units?.value)} units in them`,
    statement: (frame) => ofToday('orders, units', 'totals_by_day', frame),
  },
  aov: {
    inputs: (frame) =>
      `${amount(frame, 'gross_revenue')} ÷ ${format.count(frame.kpis.orders?.value)} orders`,
    statement: (frame) =>
      ofToday('gross, orders, gross_micros / orders AS aov_micros', 'totals_by_day', frame),
  },
  average_rating: {
    inputs: ({ratings}) => `${format.count(ratings.n)} ratings`,
    statement: ({today}) =>
      ofToday(
        'sum(ratings) AS ratings,\n  round(sum(sum_milli) / 1000.0 / sum(ratings), 3) AS mean',
        'ratings_by_day',
        {today},
      ),
  },
  active_visitors: {seconds: 300, inputs: () => 'all currencies'},
  transactions_per_second: {
    seconds: 60,
    inputs: () => 'all currencies',
    statement: (frame) => {
      const to = momentOf(frame);
      return (
        'SELECT sum(lines) / 60.0 AS transactions_per_second\nFROM totals\n' +
        `WHERE tier = 0 AND pane_us >= ${to - 6 * kTenSecondsUs} AND pane_us < ${to}`
      );
    },
  },
};

const momentOf = ({watermark_us: mark, wall_us: wall}) =>
  Math.floor((mark ?? wall) / kTenSecondsUs) * kTenSecondsUs;

function windowOf({seconds}, frame) {
  const {watermark_us: mark, day_from_us: from, zone} = frame;
  if (mark === null) return 'not begun: there is no event yet';
  const [start, end] = seconds ? [momentOf(frame) - seconds * 1e6, momentOf(frame)] : [from, mark];
  return (
    `${format.day(start, zone)}, ${format.clockTime(start, zone)} up to the data clock, ` +
    `${format.clockTime(end, zone)} (${zone})`
  );
}

export class Explain {
  constructor() {
    this.root = byId('explain');
    this.shape = null;
  }

  // shape: one row of the tiles' table.
  choose(shape, frame) {
    this.shape = shape;
    this.update(frame, true);
  }

  update(frame, force = false) {
    if (!this.shape || !frame || !(force || this.root.matches(':popover-open'))) return;
    const {kpi: name, name: title, when, show, formula} = this.shape;
    const kpi = frame.kpis[name];
    const source = kSources[name];
    const {text: short, title: full} = show(kpi);
    put(byId('explain-title'), `${title}, ${when}`);
    put(byId('explain-value'), full ?? short);
    put(byId('explain-formula'), formula);
    put(byId('explain-inputs'), source.inputs(frame));
    const before = kpi.previous === undefined ? null : show({...kpi, value: kpi.previous});
    put(byId('explain-before'), before ? (before.title ?? before.text) : 'no whole day before');
    put(byId('explain-window'), windowOf(source, frame));
    put(byId('explain-state'), stateOf(kpi));
    put(byId('explain-frame'), `${frame.frame}, one commit for every number on the page`);
    const statement = source.statement?.(frame);
    put(
      byId('explain-sql'),
      statement ?? 'A sketch of each ten seconds is kept, not the visitors; no statement can count it.',
    );
    reveal(byId('explain-link'), Boolean(statement));
    if (statement) attribute(byId('explain-link'), 'href', `/sql#q=${encodeURIComponent(statement)}`);
  }
}

export function stateOf(kpi) {
  if (kpi.value === null) return kpi.why_null ?? 'there is nothing to count';
  if (kpi.error > 0) {
    return `An estimate: two times of three within ${format.percent(kpi.error)} of the truth.`;
  }
  return (
    {
      provisional: 'Exact for everything up to the data clock; the day is still open.',
      revised: 'Exact; a late event corrected it.',
    }[kpi.state] ?? 'Exact and complete.'
  );
}
