// The header: the state chip and what it means, the data clock, and the controls.
import {attribute, byId, icon, put, say} from './dom.js';
import * as format from './format.js';
import {kBuckets, ledgerSum} from './frame.js';

const kStaleMs = 15000;
const kFillingS = 120; // so far behind, a demo is still telling its past

// What the chip may say: [tone, icon, what it means].
const kStates = {
  connecting: ['wait', 'wait', 'The page is waiting for its first frame.'],
  setup: ['wait', 'wait', 'No source is connected yet.'],
  live: ['good', 'live', 'Every source is connected and read up to its end.'],
  backfill: [
    'wait',
    'backfill',
    'Records from before the start are being read; the charts fill up from the past.',
  ],
  filling: [
    'wait',
    'backfill',
    'The demo shop first tells what happened in the hour before now; it takes a few seconds.',
  ],
  paused: [
    'hold',
    'pause',
    'The page stands still at one frame. Counting goes on; press Space to return to the edge.',
  ],
  stale: [
    'warn',
    'stale',
    'Nothing has been heard for a while. The last good numbers stay, with their age.',
  ],
  reconnecting: [
    'warn',
    'wait',
    'The connection was lost and is being restored. The last good numbers stay.',
  ],
  degraded: ['warn', 'warn', 'A stage of the pipeline stands still; a restart loses nothing.'],
  read_only: [
    'bad',
    'lock',
    'The store failed. Numbers stand still, nothing is lost: after a restart reading goes on from here.',
  ],
  store_paused: [
    'warn',
    'pause',
    'The store cannot be written at the moment. Numbers stand still, nothing is lost: counting goes on by itself.',
  ],
  outdated: ['warn', 'warn', 'The program was updated. Load the page again.'],
};

// Which state holds, and its words. The page's own troubles come before the server's.
export function judge({frame, link, paused, edge, now}) {
  const silent = now - link.heard;
  if (link.how === 'outdated') return {name: 'outdated', text: 'RELOAD THE PAGE'};
  if (!frame)
    return link.failed
      ? {name: 'reconnecting', text: 'RECONNECTING', reason: link.why}
      : {name: 'connecting', text: 'CONNECTING'};
  if (paused) {
    const behind = edge ? (edge.wall_us - frame.wall_us) / 1e6 : 0;
    const at = format.clockTime(frame.watermark_us ?? frame.wall_us, frame.zone);
    return {name: 'paused', text: `PAUSED at ${at}`, more: `+${Math.round(Math.max(0, behind))} s`};
  }
  if (silent > kStaleMs)
    return {name: 'stale', text: `STALE ${format.duration(silent / 1000)}`, reason: link.why};
  if (link.failed) return {name: 'reconnecting', text: 'RECONNECTING', reason: link.why};
  if (frame.state.name === 'live' && frame.state.demo && frame.delay_s > kFillingS)
    return {name: 'filling', text: 'FILLING', more: 'demo'};
  return serverState(frame.state);
}

function serverState({name, reason, demo, backfill_done: done, eta_s: eta}) {
  const known = kStates[name] ? name : 'degraded';
  let text = name.toUpperCase().replaceAll('_', '-');
  let more = demo ? 'demo' : '';
  if (name === 'backfill') {
    text = `BACKFILL ${format.percent(done, 0)}`;
    if (eta > 0) more = format.duration(eta);
  }
  return {name: known, text, more, reason};
}

export class Header {
  constructor() {
    this.chip = byId('state');
    this.favicon = document.querySelector('link[rel=icon]');
    this.plainIcon = this.favicon.href;
    this.tone = '';
  }

  // Each second and with each frame.
  update({frame, link, paused, edge}) {
    const state = judge({frame, link, paused, edge, now: Date.now()});
    const [tone, picture, meaning] = kStates[state.name];
    put(byId('state-text'), state.more ? `${state.text} · ${state.more}` : state.text);
    icon(this.chip, picture);
    attribute(this.chip, 'data-tone', tone);
    attribute(document.documentElement, 'data-tone', tone);
    put(byId('about-state'), [meaning, state.reason].filter(Boolean).join(' '));
    if (this.said !== undefined && this.said !== state.name) {
      say(`${state.text}. ${meaning}`);
    }
    this.said = state.name;
    this.paintIcon(tone);
    if (frame) this.numbers(frame, link, state);
  }

  numbers(frame, link, state) {
    const {zone, watermark_us: watermark, lag, ledger, delay_s: delay} = frame;
    put(byId('clock-time'), format.clockTime(watermark, zone));
    attribute(
      byId('clock-time'),
      'title',
      watermark === null ? 'no event yet' : `${format.day(watermark, zone)}, ${frame.watermark}`,
    );
    put(
      byId('clock-delay'),
      watermark === null ? '' : `(−${format.duration(delay)})`.replace('−−', '+'),
    );
    put(byId('clock-rate'), format.count(frame.rate));
    put(
      byId('clock-lag'),
      lag.records > 0 ? `${format.count(lag.records)} / ${format.duration(lag.seconds)}` : '0',
    );
    const late = ledger.consumed ? ledger.late / ledger.consumed : 0;
    put(byId('clock-late'), format.percent(late, 2));
    put(byId('clock-zone'), `${zone} · ${format.day(watermark ?? frame.wall_us, zone)}`);
    const net = frame.kpis.net_revenue;
    const sum =
      net && net.value !== null ? ` · ${format.moneyTile(net.value, net.currency, 6)}` : '';
    const title = `${state.text}${sum} · RetailPulse`;
    if (document.title !== title) document.title = title;
    if (byId('about').matches(':popover-open')) this.explain(frame, link);
    put(byId('foot-frame'), String(frame.frame));
  }

  explain(frame, link) {
    const {zone, watermark_us: watermark, lag, ledger} = frame;
    put(
      byId('about-clock'),
      watermark === null
        ? 'not started: no event yet'
        : `complete to ${format.clockTime(watermark, zone)} (${zone}), ` +
            `${format.duration(frame.delay_s)} behind the wall clock`,
    );
    put(
      byId('about-lag'),
      `${format.count(lag.records)} records unread, the oldest ${format.duration(lag.seconds)} old`,
    );
    const balanced = ledgerSum(ledger) === ledger.consumed;
    put(
      byId('about-ledger'),
      `${format.count(ledger.consumed)} read = ` +
        kBuckets
          .filter((name) => ledger[name])
          .map((name) => `${format.count(ledger[name])} ${name.replace('_', ' ')}`)
          .join(' + ') +
        (balanced ? '; balanced' : '; NOT balanced'),
    );
    put(byId('about-frame'), `${frame.frame}: every number on the page is of this one commit`);
    const ways = {
      streaming: 'streamed to this tab',
      shared: 'streamed through another tab',
      polling: 'asked for every two seconds',
      none: 'resting',
    };
    put(byId('about-link'), ways[link.how] ?? link.how);
  }

  // The tab's icon gets a dot when the numbers are old.
  paintIcon(tone) {
    if (tone === this.tone) return;
    this.tone = tone;
    const colour = {warn: '#d97706', bad: '#dc2626'}[tone];
    this.favicon.href = colour
      ? 'data:image/svg+xml,' +
        encodeURIComponent(
          '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">' +
            '<rect width="32" height="32" rx="9" fill="#2457d6"/>' +
            `<circle cx="22" cy="10" r="8" fill="${colour}" stroke="#fff" stroke-width="2"/></svg>`,
        )
      : this.plainIcon;
  }
}
