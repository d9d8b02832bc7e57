// Revenue over time: a line of time slices, with a data cursor for pointer and keyboard. While the
// pointer or the keyboard is in the chart, its window of time stands still; data keep arriving.
import {attribute, byId, el, number, put, reveal, say} from './dom.js';
import * as format from './format.js';
import {Panel} from './panel.js';
import {palette, plotOptions} from './revenue_paint.js';

const kMicro = 1e6;
const kRangeWords = {
  '15m': 'last 15 minutes',
  '1h': 'last hour',
  '6h': 'last 6 hours',
  '24h': 'last 24 hours',
};

export class Revenue {
  constructor(root) {
    this.panel = new Panel(root, {
      columns: [
        {name: 'Time'},
        {name: 'Net', numeric: true},
        {name: 'Gross', numeric: true},
        {name: 'Orders', numeric: true},
        {name: 'Transactions', numeric: true},
        {name: 'State'},
      ],
      rows: (frame) => tableRows(frame),
    });
    this.surface = root.querySelector('.surface');
    this.holder = root.querySelector('.plot');
    this.line = root.querySelector('.cursor');
    this.tip = root.querySelector('.tip');
    this.tipParts = {};
    for (const name of ['time', 'net', 'gross', 'orders', 'state'])
      this.tip.append((this.tipParts[name] = el('span', {class: name})));
    this.chart = {
      panes: [],
      peaks: [],
      alone: new Set(),
      colours: {},
      rangeY: (low, high) => this.rangeY(low, high),
    };
    this.cursor = null; // start_us of the slice under the cursor
    this.pinned = false;
    this.listen();
  }

  listen() {
    const {surface} = this;
    new ResizeObserver(() => this.resize()).observe(surface);
    surface.addEventListener('pointermove', (event) => {
      if (this.pinned || !this.plot) return;
      this.hold();
      this.moveTo(this.nearest(event.clientX - this.plot.over.getBoundingClientRect().left));
    });
    surface.addEventListener('pointerleave', () => this.leave());
    surface.addEventListener('blur', () => this.leave());
    surface.addEventListener('click', () => {
      this.pinned = !this.pinned && this.cursor !== null;
      this.showCursor();
    });
    surface.addEventListener('keydown', (event) => this.key(event));
  }

  hold() {
    this.held ??= {from: this.chart.from, to: this.chart.to};
  }

  leave() {
    if (this.pinned) return;
    this.cursor = null;
    this.held = null;
    this.showCursor();
    if (this.frame) this.draw();
  }

  key(event) {
    const {panes} = this.chart;
    if (event.ctrlKey || event.metaKey || event.altKey || panes.length === 0) return;
    const last = panes.length - 1;
    const now = panes.findIndex(({start_us: start}) => start === this.cursor);
    const from = now < 0 ? last + 1 : now;
    const target = {
      ArrowLeft: from - 1,
      ArrowRight: now < 0 ? last : now + 1,
      Home: 0,
      End: last,
      PageUp: from - 10,
      PageDown: from + 10,
    }[event.key];
    if (target !== undefined) {
      event.preventDefault();
      this.hold();
      this.moveTo(panes[Math.min(Math.max(target, 0), last)]);
      say(this.words(panes.find(({start_us: start}) => start === this.cursor)), 250);
    } else if (event.key === 'Enter' && this.cursor !== null) {
      this.pinned = !this.pinned;
      say(this.pinned ? 'Pinned.' : 'Released.');
      this.showCursor();
    } else if (event.key === 'Escape') {
      this.pinned = false;
      this.leave();
    }
  }

  update(frame, empty) {
    const {series} = frame;
    const nothing = series.panes.length === 0 ? this.whyNothing(frame) : null;
    this.panel.update(frame, empty ?? nothing);
    this.frame = frame;
    const words = kRangeWords[frame.range] ?? '';
    const currency = series.currency || frame.currency;
    put(
      byId('revenue-sub'),
      [`net per ${format.stepWords(series.step_us)}`, currency, frame.zone].filter(Boolean).join(' · '),
    );
    const total = nothing ? null : format.addDecimals(series.panes.map(({net}) => net));
    number(byId('revenue-total'), {
      frame: frame.frame,
      kpi: 'series.net.total',
      value: total,
      text: format.moneyTile(total, series.currency, 7),
      title: format.money(total, series.currency),
    });
    put(byId('revenue-total-label'), words);
    if (empty ?? nothing) return;
    this.summarise(frame, total, words);
    this.draw();
  }

  whyNothing({watermark_us: mark, zone, currency}) {
    return mark === null
      ? 'No sales yet.'
      : `No sales in ${currency || 'any currency'} in this range, which ends at ` +
          `${format.dayTime(mark, zone)} on the data clock. Try a longer range.`;
  }

  summarise({series, zone, frame}, total, words) {
    const top = series.panes.reduce((best, pane) =>
      Number(pane.net) > Number(best.net) ? pane : best,
    );
    const peaks = series.peaks?.length ?? 0;
    const found =
      peaks === 0 ? '' : peaks === 1 ? ' One peak is marked.' : ` ${peaks} peaks are marked.`;
    this.panel.summarise(
      `Net revenue, ${words}: ${format.money(total, series.currency)}; highest at ` +
        `${format.clockTime(top.start_us, zone)} with ${format.money(top.net, series.currency)} ` +
        `per ${format.stepWords(series.step_us)}.${found}`,
      `${words} ${series.currency} ${peaks} ${frame ? '' : 'none'}`,
    );
  }

  // Spreads the panes over the grid of slices and gives them to uPlot.
  draw() {
    const {series, zone} = this.frame;
    const {step_us: step, from_us: from, to_us: to} = series;
    if (this.chart.step_us !== step || this.chart.currency !== series.currency) this.release();
    Object.assign(
      this.chart,
      {
        zone,
        currency: series.currency,
        step_us: step,
        panes: series.panes,
        peaks: series.peaks ?? [],
      },
      this.held ?? {from: from / kMicro, to: to / kMicro},
    );
    const slots = Math.max(1, Math.round((to - from) / step));
    const xs = Array.from({length: slots}, (_, i) => (from + (i + 0.5) * step) / kMicro);
    const [closed, open] = [new Array(slots).fill(null), new Array(slots).fill(null)];
    const at = new Map(
      series.panes.map((pane) => [Math.round((pane.start_us - from) / step), pane]),
    );
    for (const [i, pane] of at)
      (pane.state === 'provisional' ? open : closed)[i] = Number(pane.net);
    this.chart.stem = this.openEnd(at, open, closed);
    this.chart.alone = new Set(
      [...at]
        .filter(([i, {state}]) => state !== 'provisional' && !at.has(i - 1) && !at.has(i + 1))
        .map(([, pane]) => pane),
    );
    this.data = [xs, closed, open];
    if (this.panel.tabular || this.surface.clientWidth === 0) return;
    if (!this.plot) this.make();
    else this.plot.setData(this.data);
    this.showCursor();
  }

  // The last slice is still filling: it joins the dashed line only when that is no fall. The line
  // starts at the last closed slice. Returns the filling slice, if there is one.
  openEnd(at, open, closed) {
    const last = Math.max(-1, ...at.keys());
    const pane = at.get(last);
    if (pane?.state !== 'provisional') return null;
    const before = open[last - 1] ?? closed[last - 1] ?? null;
    const falls = before === null || Number(pane.net) < before;
    if (falls) open[last] = null;
    const first = open.findIndex((value) => value !== null);
    if (first > 0 && closed[first - 1] !== null) open[first - 1] = closed[first - 1];
    return pane;
  }

  make() {
    if (!globalThis.uPlot) return this.panel.toggle(); // not loaded; the table has the numbers
    this.chart.colours = palette(this.surface);
    this.holder.replaceChildren();
    const {clientWidth: width, clientHeight: height} = this.surface;
    this.plot = new globalThis.uPlot(
      plotOptions(this.chart, width, height),
      this.data,
      this.holder,
    );
  }

  retheme() {
    if (!this.plot) return;
    this.chart.colours = palette(this.surface);
    this.plot.redraw(false);
  }

  resize() {
    const {clientWidth: width, clientHeight: height} = this.surface;
    if (width === 0 || !this.frame) return;
    if (!this.plot) return this.draw();
    if (this.plot.width !== width || this.plot.height !== height)
      this.plot.setSize({width, height});
    this.plot.setData(this.data);
    this.showCursor();
  }

  // From zero, and calm: the top is a round number that shrinks only when much too high.
  rangeY(low, high) {
    const top = roundUp(
      Math.max(high ?? 0, this.chart.stem ? Number(this.chart.stem.net) : 0, 1e-6) * 1.06,
    );
    const scope = `${this.chart.step_us} ${this.chart.currency}`;
    if (this.scaled?.scope !== scope || top > this.scaled.top || top < this.scaled.top * 0.7)
      this.scaled = {scope, top};
    return [low < 0 ? -roundUp(-low * 1.06) : 0, this.scaled.top];
  }

  release() {
    this.pinned = false;
    this.cursor = null;
    this.held = null;
  }

  nearest(left) {
    const us = this.plot.posToVal(left, 'x') * kMicro - this.chart.step_us / 2;
    return this.chart.panes.reduce(
      (best, pane) =>
        best && Math.abs(best.start_us - us) <= Math.abs(pane.start_us - us) ? best : pane,
      null,
    );
  }

  moveTo(pane) {
    this.cursor = pane ? pane.start_us : null;
    this.showCursor();
  }

  showCursor() {
    const pane =
      this.cursor === null
        ? null
        : this.chart.panes.find(({start_us: start}) => start === this.cursor);
    reveal(this.line, Boolean(pane && this.plot));
    reveal(this.tip, Boolean(pane && this.plot));
    attribute(this.surface, 'data-pinned', this.pinned ? '' : null);
    if (!pane || !this.plot) return;
    const {over} = this.plot;
    const x =
      over.offsetLeft + this.plot.valToPos((pane.start_us + this.chart.step_us / 2) / kMicro, 'x');
    const y = over.offsetTop + this.plot.valToPos(Number(pane.net), 'y');
    this.line.style.transform = `translateX(${x.toFixed(1)}px)`;
    this.line.firstElementChild.style.transform = `translateY(${y.toFixed(1)}px)`;
    this.fillTip(pane);
    const width = this.tip.offsetWidth;
    const left = x + 14 + width > this.surface.clientWidth ? x - 14 - width : x + 14;
    this.tip.style.transform = `translate(${Math.max(0, left).toFixed(1)}px, 30px)`;
  }

  fillTip(pane) {
    const {zone, currency, step_us: step} = this.chart;
    put(
      this.tipParts.time,
      [pane.start_us, pane.start_us + step].map((us) => format.clockTime(us, zone)).join(' – '),
    );
    put(this.tipParts.net, format.money(pane.net, currency));
    put(this.tipParts.gross, `gross ${format.money(pane.gross, currency)}`);
    put(
      this.tipParts.orders,
      `${format.count(pane.orders)} ${pane.orders === 1 ? 'order' : 'orders'}`,
    );
    put(this.tipParts.state, stateWords(pane));
  }

  words(pane) {
    const {zone, currency} = this.chart;
    return (
      `${format.clockTime(pane.start_us, zone)}: net ${format.money(pane.net, currency)}, ` +
      `${format.count(pane.orders)} orders, ${stateWords(pane)}.`
    );
  }
}

function stateWords({state, revision}) {
  return state === 'revised' || revision > 0 ? `revised ${revision}×` : state;
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value) * power;
}

function tableRows({series, zone}) {
  const {currency, panes, step_us: step, peaks = []} = series;
  const time = step >= 9e8 ? format.dayTime : format.clockTime;
  return [...panes].reverse().map((pane) => {
    const key = pane.start_us;
    const peak = peaks.some(({from_us: from, to_us: to}) => from <= key && key < to);
    const amount = (name) => ({
      kpi: `series.${name}`,
      key,
      value: pane[name],
      text: format.money(pane[name], currency),
    });
    const whole = (name) => ({
      kpi: `series.${name}`,
      key,
      value: pane[name],
      text: format.count(pane[name]),
    });
    return {
      key,
      cells: [
        time(key, zone),
        amount('net'),
        amount('gross'),
        whole('orders'),
        whole('transactions'),
        stateWords(pane) + (peak ? ', peak' : ''),
      ],
    };
  });
}
