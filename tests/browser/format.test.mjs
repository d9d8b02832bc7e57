// Numbers as people read them: exact for any amount, equal to Intl where Intl is exact, and no
// invented currency sign.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

// As a module of its own, so that web/ needs no package.json.
const load = (file) => {
  const source = readFileSync(new URL(`../../web/${file}`, import.meta.url), 'utf8');
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
};
const format = await load('format.js');
const {merge} = await load('frame.js');

const kSeed = Number(process.env.SEED ?? Date.now() % 1e9);
console.log(`seed ${kSeed}`);
let state = kSeed;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
const randomDecimal = (digits, scale) => {
  const text = Array.from({length: 1 + random(digits)}, () => random(10)).join('');
  const whole = text.replace(/^0+(?=\d)/, '');
  const fraction = scale ? `.${Array.from({length: scale}, () => random(10)).join('')}` : '';
  return (random(4) === 0 && Number(whole) > 0 ? '-' : '') + whole + fraction;
};

test('amounts equal Intl, in twelve currencies of 0, 2 and 3 digits', () => {
  const codes = [
    'EUR',
    'USD',
    'GBP',
    'CHF',
    'SEK',
    'PLN',
    'INR',
    'CAD',
    'JPY',
    'KRW',
    'KWD',
    'BHD',
  ];
  for (const code of codes) {
    const intl = new Intl.NumberFormat(undefined, {style: 'currency', currency: code});
    const scale = intl.resolvedOptions().maximumFractionDigits;
    for (let i = 0; i < 500; i++) {
      const amount = randomDecimal(11, scale);
      assert.equal(format.money(amount, code), intl.format(amount), `${amount} ${code}`);
    }
  }
});

test('no digit is lost beyond 2^53', () => {
  const digits = (text) => text.replace(/[^\d]/g, '');
  for (let i = 0; i < 500; i++) {
    const amount = `9${randomDecimal(18, 2).replace('-', '')}`;
    assert.equal(digits(format.money(amount, 'EUR')), digits(amount));
    assert.equal(digits(format.moneyRounded(amount, 'EUR')), digits(amount));
  }
  assert.equal(digits(format.money('9223372036854.775807', 'EUR')), '9223372036854775807');
});

test('an unknown currency is its code, never another sign', () => {
  for (const code of ['XXX', 'QQQ', '(none)', 'bitcoin!', '']) {
    const text = format.money('12.50', code);
    assert.ok(text.includes(code) && text.includes('12.50'), text);
    assert.doesNotMatch(text, /[¤$€£¥]/);
  }
});

test('digits beyond the currency’s own are kept, zeros are not', () => {
  assert.match(format.money('1.234500', 'EUR'), /1\.2345$/);
  assert.match(format.money('1.500000', 'EUR'), /1\.50$/);
  assert.match(format.money('100.00', 'JPY'), /100$/);
});

test('what is no amount is a dash', () => {
  for (const value of [null, undefined, '', 'NaN', '1e9', '1,5', '<b>']) {
    assert.equal(format.money(value, 'EUR'), '—');
  }
  assert.equal(format.count(null), '—');
});

test('sums and differences are exact', () => {
  assert.equal(format.addDecimals(['0.1', '0.2']), '0.3');
  assert.equal(format.addDecimals(['9007199254740993.01', '0.01']), '9007199254740993.02');
  assert.equal(format.addDecimals(['1.5', '2.25'], -1n, '3'), '-0.75');
  for (let i = 0; i < 500; i++) {
    const micros = Array.from(
      {length: 10},
      () => BigInt(random(2 ** 32)) * BigInt(random(2 ** 20) - 2 ** 19),
    );
    const texts = micros.map((units) => format.printDecimal({units, scale: 6}));
    const sum = micros.reduce((a, b) => a + b);
    assert.equal(format.addDecimals(texts), format.printDecimal({units: sum, scale: 6}));
  }
});

test('rounding is half away from zero', () => {
  assert.equal(format.roundDecimal('2.345', 2), '2.35');
  assert.equal(format.roundDecimal('-2.345', 2), '-2.35');
  assert.equal(format.roundDecimal('2.3449999', 2), '2.34');
  assert.equal(format.roundDecimal('7', 2), '7.00');
});

test('times are of the shop’s zone, also where the clocks change', () => {
  const us = (text) => Date.parse(text) * 1000;
  assert.equal(format.clockTime(us('2026-03-29T00:59:59Z'), 'Europe/Berlin'), '01:59:59');
  assert.equal(format.clockTime(us('2026-03-29T01:00:00Z'), 'Europe/Berlin'), '03:00:00');
  assert.equal(format.clockTime(us('2026-11-22T18:20:00Z'), 'Asia/Kathmandu'), '00:05:00');
  assert.equal(format.zoneOffset(us('2026-11-22T18:20:00Z'), 'Asia/Kathmandu'), 20700e6);
  assert.equal(format.zoneOffset(us('2026-07-01T00:00:00Z'), 'America/New_York'), -14400e6);
  assert.equal(format.clockTime(null, 'UTC'), '—');
});

test('a stranger’s name cannot turn the sentence around it', () => {
  assert.equal(format.quoted('a\u202eb\u2069'), '\u2068ab\u2069');
  assert.ok(format.quoted('x'.repeat(500)).length < 70);
});

test('deltas merged into a snapshot give the later snapshot', () => {
  const pane = (start, net) => ({start_us: start, net, state: 'final'});
  const first = {
    frame: 1,
    rate: 1,
    kpis: {a: 1},
    series: {
      from_us: 10,
      to_us: 30,
      step_us: 10,
      currency: 'EUR',
      panes: [pane(10, '1'), pane(20, '2')],
      peaks: [],
    },
  };
  const delta = {
    frame: 2,
    series: {
      from_us: 20,
      to_us: 40,
      step_us: 10,
      currency: 'EUR',
      panes: [pane(30, '3'), pane(20, '2.5')],
      peaks: [1],
    },
  };
  assert.deepEqual(merge(first, delta), {
    frame: 2,
    rate: 1,
    kpis: {a: 1},
    series: {
      from_us: 20,
      to_us: 40,
      step_us: 10,
      currency: 'EUR',
      panes: [pane(20, '2.5'), pane(30, '3')],
      peaks: [1],
    },
  });
  const other = {frame: 3, series: {...delta.series, step_us: 60, panes: [pane(0, '9')]}};
  assert.deepEqual(merge(first, other).series, other.series);
  assert.equal(first.series.panes.length, 2, 'the old frame stays as it was');
});
