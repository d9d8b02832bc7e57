// The Live page. Frames come from the feed, wait for the next animation frame (only the newest is
// drawn) and go through every panel. Pausing holds the shown frame while the feed goes on.
import {Categories} from './categories.js';
import {attribute, byId, el, icon, keep, kept, put, reconcile, reveal, say} from './dom.js';
import {Explain} from './explain.js';
import {Feed} from './feed.js';
import {clockTime} from './format.js';
import {whyEmpty} from './frame.js';
import {Header} from './header.js';
import {Ledger} from './ledger.js';
import {Products} from './products.js';
import {Ratings} from './ratings.js';
import {Revenue} from './revenue.js';
import {Tiles} from './tiles.js';
import {Types} from './types.js';

const kRanges = ['15m', '1h', '6h', '24h'];
const kThemes = ['auto', 'light', 'dark'];
const kDrawMs = 90; // at most about eleven drawings a second, however many frames come

class Page {
  constructor() {
    const asked = new URLSearchParams(location.search);
    const range = kRanges.includes(asked.get('range')) ? asked.get('range') : '1h';
    const currency = /^[A-Z]{3}$/.test(asked.get('currency') ?? '') ? asked.get('currency') : '';
    this.scope = {range, currency};
    this.shown = null; // the frame on the page
    this.edge = null; // the newest frame known
    this.paused = false;
    this.header = new Header();
    this.explain = new Explain();
    this.tiles = new Tiles((shape) => this.explain.choose(shape, this.shown));
    this.ledger = new Ledger();
    this.revenue = new Revenue(byId('revenue'));
    this.panels = [
      this.revenue,
      new Categories(byId('categories')),
      new Products(byId('products')),
      new Types(byId('types')),
      new Ratings(byId('ratings')),
    ];
    this.feed = new Feed({
      onFrame: (frame) => this.take(frame),
      onLink: () => this.refreshHeader(),
    });
    this.controls();
  }

  start() {
    this.feed.setScope(this.scope);
    if (!document.hidden) this.feed.start();
    document.addEventListener('visibilitychange', () =>
      document.hidden ? this.rest() : this.feed.start(),
    );
    addEventListener('pagehide', () => this.feed.stop());
    addEventListener('pageshow', ({persisted}) => {
      if (persisted) this.feed.start();
    });
    setInterval(() => this.refreshHeader(), 1000);
    this.refreshHeader();
  }

  // A hidden tab lets go of the stream, and says so in its title.
  rest() {
    this.feed.stop();
    document.title = 'RetailPulse · resting';
  }

  take(frame) {
    this.edge = {...frame, range: this.scope.range};
    if (!this.paused || !this.shown) this.schedule();
  }

  schedule() {
    if (this.waiting) return;
    this.waiting = true;
    const pause = Math.max(0, kDrawMs - (performance.now() - (this.drawn ?? -kDrawMs)));
    setTimeout(
      () =>
        requestAnimationFrame(() => {
          this.waiting = false;
          if (!this.paused || !this.shown) this.draw(this.edge);
        }),
      pause,
    );
  }

  draw(frame) {
    this.drawn = performance.now();
    this.shown = frame;
    const empty = whyEmpty(this.shown);
    this.tiles.update(this.shown);
    this.ledger.update(this.shown);
    this.explain.update(this.shown);
    for (const panel of this.panels) panel.update(this.shown, empty?.short);
    this.fillCurrencies(frame);
    this.refreshHeader();
    const notice = empty?.long ?? (frame.state.name === 'live' ? '' : frame.state.reason);
    if (notice) put(byId('notice'), notice);
    reveal(byId('notice'), Boolean(notice));
    if (frame.lost?.lately) put(byId('lost'), frame.lost.lately);
    reveal(byId('lost'), Boolean(frame.lost?.lately));
    attribute(document.documentElement, 'data-phase', empty ? 'empty' : 'ready');
    attribute(document.documentElement, 'data-frame', frame.frame);
    attribute(document.documentElement, 'data-busy', null);
    byId('foot-json').href = `/api/v1/frame?${this.feed.query}`;
    if (!this.marked) performance.mark('first frame drawn');
    this.marked = true;
  }

  refreshHeader() {
    if (document.hidden) return;
    this.header.update({
      frame: this.shown,
      link: this.feed.link,
      paused: this.paused,
      edge: this.edge,
    });
  }

  controls() {
    byId('pause').addEventListener('click', () => this.pause());
    byId('theme').addEventListener('click', () => this.nextTheme());
    byId('currency').addEventListener('change', ({target}) =>
      this.rescope({currency: target.value}),
    );
    for (const input of document.querySelectorAll('input[name=range]')) {
      input.checked = input.value === this.scope.range;
      input.addEventListener('change', () => this.rescope({range: input.value}));
    }
    byId('about').addEventListener('toggle', () => this.refreshHeader());
    const keys = byId('keys');
    keys.checked = kept('keys') !== 'off';
    keys.addEventListener('change', () => keep('keys', keys.checked ? 'on' : 'off'));
    addEventListener('keydown', (event) => this.key(event));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      this.revenue.retheme(),
    );
    matchMedia('(forced-colors: active)').addEventListener('change', () => this.revenue.retheme());
    this.showPause();
    this.showTheme();
  }

  key(event) {
    const busy = event.target.closest('input, select, textarea, button, a, summary');
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !byId('keys').checked)
      return;
    if (event.key === ' ' ? busy : event.target.closest('select, textarea')) return;
    const act = {
      ' ': () => this.pause(),
      v: () => this.toggleTable(),
      d: () => this.nextTheme(),
      e: () => this.explainTile(),
      '?': () => byId('about').togglePopover(),
    }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  // The panel that has the focus, else the one under the pointer, else the revenue chart.
  toggleTable() {
    const root =
      document.activeElement?.closest('.panel') ?? document.querySelector('.panel:hover');
    const panel =
      this.panels.find((each) => each.panel.root === root && each.panel.twin) ?? this.revenue;
    const hadFocus =
      panel.panel.chart.contains(document.activeElement) ||
      panel.panel.twin.contains(document.activeElement);
    panel.panel.toggle();
    if (hadFocus) (panel.panel.tabular ? panel.panel.twin : panel.panel.chart).focus();
  }

  explainTile() {
    this.explain.choose(this.tiles.asked, this.shown);
    byId('explain').togglePopover();
  }

  pause() {
    if (!this.shown) return;
    this.paused = !this.paused;
    this.showPause();
    if (!this.paused) {
      this.draw(this.edge);
      say('Live again.');
    } else {
      this.panels.forEach(({panel}) => {
        panel.summarised.at = -Infinity;
      });
      this.draw(this.shown); // so that the sentences, too, are of this frame
      say(`Paused at ${clockTime(this.shown.watermark_us, this.shown.zone)}.`);
    }
  }

  showPause() {
    const button = byId('pause');
    attribute(button, 'aria-pressed', this.paused);
    put(button.querySelector('span'), this.paused ? 'Resume' : 'Pause');
    attribute(button, 'title', this.paused ? 'Resume (Space)' : 'Pause (Space)');
    icon(button, this.paused ? 'play' : 'pause');
    attribute(document.documentElement, 'data-paused', this.paused ? '' : null);
  }

  nextTheme() {
    const root = document.documentElement;
    root.dataset.theme = kThemes[(kThemes.indexOf(root.dataset.theme) + 1) % kThemes.length];
    keep('theme', root.dataset.theme);
    this.address({theme: root.dataset.theme});
    this.showTheme();
    this.revenue.retheme();
  }

  showTheme() {
    const {theme} = document.documentElement.dataset;
    put(byId('theme').querySelector('span'), `Theme: ${theme}`);
    attribute(byId('theme'), 'title', `Theme: ${theme} (D)`);
    icon(byId('theme'), theme);
  }

  // Another currency or range: the old picture stays, dimmed, until the new one is there.
  rescope(change) {
    Object.assign(this.scope, change);
    this.paused = false;
    this.showPause();
    attribute(document.documentElement, 'data-busy', '');
    this.address(change);
    this.feed.setScope(this.scope);
  }

  address(change) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
    history.replaceState(null, '', url);
  }

  fillCurrencies({currency, currencies}) {
    const codes =
      currencies.includes(currency) || !currency ? currencies : [currency, ...currencies];
    if (codes.length === 0) return;
    const select = byId('currency');
    if (!select.nodesByKey) select.replaceChildren();
    reconcile(
      select,
      codes,
      (code) => code,
      (code) => el('option', {value: code}, code),
      () => {},
    );
    if (select.value !== currency && document.activeElement !== select) select.value = currency;
    if (select.disabled) select.disabled = false;
    // The default currency is the strongest one of the day; once shown, it stays.
    if (!this.scope.currency && currency) this.pinCurrency(currency);
  }

  pinCurrency(currency) {
    this.pinned ??= currency;
    if (this.pinned !== currency) this.rescope({currency: this.pinned});
  }
}

const page = new Page();
page.start();

// For tests and the curious: the frame that is on the page, and how it came.
globalThis.retailpulse = Object.freeze({
  get shown() {
    return page.shown;
  },
  get link() {
    return page.feed.link;
  },
});
